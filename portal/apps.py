from django.apps import AppConfig


class PortalConfig(AppConfig):
    name = "portal"

    def ready(self) -> None:
        from portal import signals  # noqa: F401, PLC0415 -- registers its receivers; Django's own place for it
