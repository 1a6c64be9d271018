"""Where a message waits for the next page."""

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """A cookie that no sibling of the host can set, as the session's is."""

    cookie_name = "__Host-messages" if settings.IS_PRODUCTION else "messages"


class MessageStorage(FallbackStorage):
    """In a cookie; what is too long for one in the session."""

    storage_classes = (HostCookieStorage, SessionStorage)
