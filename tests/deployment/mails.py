"""Works the mail jobs of an installation off, into memory. Prints the mails as JSON."""

import json
import os

import django


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()

    from django.conf import settings
    from django.core import mail

    from accounts import jobs

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail.outbox = []
    while jobs.run():
        pass
    print(json.dumps([{"to": sent.to, "subject": sent.subject, "body": sent.body} for sent in mail.outbox]))


if __name__ == "__main__":
    main()
