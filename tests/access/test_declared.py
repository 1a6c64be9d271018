"""What a form declares, filled in whole: it changes what it is for, and only in the hands of those it is for.

The matrix sends what a page needs to do something, and every field of every model that its form does not have. The
fields that a form has and that need not be filled in come here.
"""

from datetime import timedelta

import pytest
from django import forms
from django.utils import timezone

from tests.access import cells, rows
from tests.access import world as worlds
from tests.access.changes import CHANGES
from tests.access.fields import EVIL_TEXT
from tests.access.rules import Rule, rule_for
from tests.access.sent import sent
from tests.access.world import PEOPLE, World
from tests.factories import PASSWORD
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

URLS = {url.name: url for url in worlds.urls() if url.name and not url.name.startswith("admin:")}
# Where a value of the kind alone is not taken.
FITTING = {
    "console:connection-panel-host": {"host": "panel.canary.example"},
    "console:package": {"trial_days": "14"},
    "console:package-new": {"trial_days": "14"},
}
# What these fields change, or leave behind, beyond CHANGES.
ALSO = {
    "accept_invitation": {
        "+account_emailaddress",
        "+accounts_user",
        "+event invitation.accepted",
        "+event person.signed_in",
        "+usersessions_usersession",
        "accounts_invitation.accepted_at",
        "accounts_invitation.accepted_by_id",
    },
    "account_change_password": {
        "+accounts_job",
        "+event mail.written",
        "+event person.password_changed",
        "+usersessions_usersession",
        "accounts_user.password",
    },
    "account_login": {"+event person.sign_in_failed"},
    "account_reset_password": {"+accounts_job", "+event mail.written"},
    "account_signup": {
        "+account_emailaddress",
        "+accounts_customer",
        "+accounts_job",
        "+accounts_membership",
        "+accounts_searchword",
        "+accounts_subaccount",
        "+accounts_user",
        "+event customer.signed_up",
        "+event mail.written",
    },
    "console:brand": {
        "accounts_agency.outage_message",
        "accounts_agency.privacy_url",
        "accounts_agency.sender_name",
        "accounts_agency.support_hours",
        "accounts_agency.support_phone",
        "accounts_agency.tagline",
    },
    "console:connection-switches": {"accounts_vendoraccount.reads_statistics"},
    "console:package": {
        "accounts_package.is_recommended",
        "accounts_package.points",
        "accounts_package.price",
        "accounts_package.text",
    },
    "console:package-new": {"accounts_package.is_recommended"},
}
# Forms that change nothing however they are filled in here, and why.
CHANGES_NOTHING = {
    "account_reauthenticate": "the session alone remembers it",
    "console:approvals": "nobody waits in this world: see test_situations.py",
    "console:brand-preview": "shows, and keeps nothing",
    "mfa_activate_totp": "asks for a code of the moment: see tests/portal/test_identity.py",
    "mfa_add_webauthn": "asks for what a device signs: see tests/browser",
    "operator:agency-resume": "the agency is not stopped: see test_situations.py",
    "own-erase": "wants one's own address: see test_situations.py",
}


def value_for(field: forms.Field) -> str:
    """Something that the field takes, as far as its kind tells."""
    if isinstance(field.widget, forms.PasswordInput):
        return PASSWORD
    if isinstance(field, forms.ModelChoiceField):  # also a choice, whose values are no texts
        return str(field.prepare_value(field.queryset.last()))
    if isinstance(field, forms.ChoiceField):
        return str([EVIL_TEXT, *(value for value, _label in field.choices)][-1])
    if isinstance(field, forms.BooleanField):
        return "on"
    if isinstance(field, forms.DateField):
        return (timezone.localdate() + timedelta(days=30)).isoformat()
    if isinstance(field, forms.IntegerField | forms.DecimalField):
        return "7"
    if isinstance(field, forms.URLField):
        return "https://canary.example/"
    if isinstance(field, forms.EmailField):
        return "canary@canary.example"
    return EVIL_TEXT


def may_write(rule: Rule, world: World, person: str) -> bool:
    if person in ("viewing_operator", "staff_without_factor"):
        return False
    if person == "staff_owner_long_ago" and rule.asks_again:
        return False  # is asked for the password first
    if person == "paused_member" and rule.paused is not None:
        return False
    return rule.lets_in(person, anonymous=not world.is_signed_in(person, world.works_at(person)))


@pytest.mark.parametrize("name", URLS)
def test_every_field_of_a_form_changes_what_it_is_for(name: str, world: World, record_figure: RecordFigure):
    url, rule = URLS[name], rule_for(name)
    first = rule.who[0] if isinstance(rule.who, tuple) else "anonymous" if rule.who == "anonymous" else "owner"
    needed = sent(name, world.own(first))
    probe = cells.ask(world, url, person=first, method="POST", data=needed)
    fields = {field_name: field for form in probe.forms for field_name, field in form.fields.items()}
    more = {
        field_name: value_for(field)
        for field_name, field in fields.items()
        if field_name not in needed and not isinstance(field, forms.FileField)
    } | FITTING.get(name, {})
    changed: set[str] = set()

    for person in PEOPLE if more else ():
        answer = cells.ask(world, url, person=person, method="POST", data=sent(name, world.own(person)) | more)
        assert answer.strangers == [], person
        assert may_write(rule, world, person) or answer.changed == [], person
        changed |= rows.names(answer.changed)

    assert changed - CHANGES.get(name, set()) == ALSO.get(name, set())
    assert changed or not more or name in CHANGES_NOTHING
    record_figure("Fields that need not be filled in", {"fields": len(more), "requests": len(PEOPLE) if more else 0})
