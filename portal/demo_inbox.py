"""What the demo's inbox shows: the mails in EMAIL_FILE_PATH, and the demo staff's sign-ins with their current codes."""

import base64
import email
import hashlib
import hmac
import struct
import time
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.message import EmailMessage
from pathlib import Path

from django.conf import settings
from django.utils import timezone

from accounts import demo_data
from portal import access

NEWEST = 30
TOTP_SECONDS = 30


@dataclass(frozen=True)
class Mail:
    to: str
    subject: str
    agency: str
    at: datetime
    text: str


@dataclass(frozen=True)
class Code:
    email: str
    agency: str
    code: str
    seconds_left: int


@dataclass(frozen=True)
class SignIn:
    url: str
    email: str
    password: str
    what: str


@dataclass(frozen=True)
class DemoAgency:
    name: str
    url: str


def mails() -> list[Mail]:
    """The newest mails that were written to files, newest first; none if mails are really sent."""
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", "") or "/nonexistent")
    files = sorted(folder.glob("*.log"), key=lambda file: file.stat().st_mtime, reverse=True)[:NEWEST]
    return [mail for file in files for mail in _messages(file)]


def _messages(file: Path) -> list[Mail]:
    found = []
    for part in file.read_bytes().split(b"\n" + b"-" * 79 + b"\n"):
        if not part.strip():
            continue
        message = email.message_from_bytes(part, policy=policy.default)
        assert isinstance(message, EmailMessage)
        body = message.get_body(preferencelist=("plain",))
        at = datetime.fromtimestamp(file.stat().st_mtime, tz=timezone.get_current_timezone())
        sender = str(message["From"]).partition("<")[0].strip(' "')
        text = str(body.get_content()) if body else ""
        found.append(Mail(str(message["To"]), str(message["Subject"]), sender, at, text))
    return found


def codes() -> list[Code]:
    """The current two-step codes of the demo's staff and operator."""
    left = TOTP_SECONDS - int(time.time()) % TOTP_SECONDS
    return [Code(person.email, person.where, totp(person.totp_secret), left) for person in demo_data.STAFF]


def sign_ins() -> list[SignIn]:
    """The demo's people, where each signs in, and what they see."""
    return [
        SignIn(_login_url(person.host), person.email, demo_data.PASSWORD, person.what) for person in demo_data.PEOPLE
    ]


def agencies() -> list[DemoAgency]:
    return [DemoAgency(agency.name, f"http://{agency.host}:{settings.PORT}/start/") for agency in demo_data.AGENCIES]


def _login_url(host: str) -> str:
    if not host:
        return access.agency_url(None, "/account/login/")
    return f"http://{host}:{settings.PORT}/account/login/"


def totp(secret: str, at: float | None = None) -> str:
    """The six digits of RFC 6238 (SHA-1, 30 s) for a base32 secret."""
    counter = struct.pack(">Q", int((at or time.time()) // TOTP_SECONDS))
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    offset = digest[-1] & 15
    number = struct.unpack(">I", digest[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"
