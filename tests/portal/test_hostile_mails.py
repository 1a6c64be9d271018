"""Every mail with names that mean harm: the headers are the ones that we write, and nobody else gets it."""

import email
import email.policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import reconcile
from accounts.models import Agency, Customer, Subaccount, User, VendorAccount
from portal import mails
from tests.figures import RecordFigure
from tests.hostile import payloads, payloads_of

pytestmark = pytest.mark.django_db

TEMPLATES = Path(settings.BASE_DIR) / "templates"
OURS = sorted(path.name.removesuffix(".subject.txt") for path in (TEMPLATES / "mail").glob("*.subject.txt"))
ALLAUTHS = sorted(
    str(path.relative_to(TEMPLATES)).removesuffix("_subject.txt")
    for folder in ("account/email", "mfa/email")
    for path in (TEMPLATES / folder).glob("*_subject.txt")
)
HEADERS = {"subject", "from", "to", "reply-to", "date", "message-id", "mime-version", "content-type"}
HEADERS |= {"content-transfer-encoding"}
OWNER, SUPPORT, SENDER = "bo@shop.example", "help@north.example", "no-reply@platform.localhost"
EVIL = "evil@evil.example"


def as_received(name: str, text: str, *, agency: Agency, customer: Customer) -> EmailMessage | None:
    """A mail as the other side reads it, with `text` wherever somebody chose a text."""
    for field in ("name", "product_name", "sender_name", "support_phone", "support_hours", "tagline"):
        setattr(agency, field, text)
    Customer.objects.for_agency(agency).filter(pk=customer.pk).update(
        company_name=text[:120],
        first_name=text[:60],
        last_name=text[:60],
        message=text[:300],
        paused_at=timezone.now() if name == "paused" else None,
    )
    User.objects.filter(agency=agency, email=OWNER).update(first_name=text[:60], last_name=text[:60])
    facts = {"mail": name, "to": OWNER, "user_agent": text, "ip": text, "from_email": text, "to_email": text}
    facts |= {"deleted_email": text, "timestamp": text, "signup_url": "/a/", "password_reset_url": "/b/"}
    if name in OURS and name not in ("invitation", "second_factor_reset", *mails.OF_THE_AGENCY):
        facts["customer"] = str(customer.pk)
        del facts["to"]
    if name in mails.OF_THE_AGENCY:
        moments = dict.fromkeys(("since", "until"), timezone.now().isoformat())
        facts |= {"trouble": "unreachable", "allowed": 1, "limit": 1, "listed": 1, "bound": 9, "absent": 8, **moments}
        facts |= {"waited": 2, "longest": 60, "to_decide": 1}
    if name == "invitation":
        facts |= {"expires_at": timezone.now().isoformat(), "customer_name": text}
    message = mails.render(facts, agency=agency, secret="ABC-DEF")
    if message is None:
        return None
    assert message.recipients() in ([OWNER], [SUPPORT])
    return email.message_from_bytes(message.message().as_bytes(), policy=email.policy.default)


def assert_is_as_written(received: EmailMessage) -> None:
    names = [name.lower() for name in received.keys()]  # noqa: SIM118 -- a header may stand twice
    assert set(names) <= HEADERS
    assert len(names) == len(set(names))
    assert not received.is_multipart()
    assert received.get_content_type() == "text/plain"
    assert [address.addr_spec for address in received["from"].addresses] == [SENDER]
    assert [address.addr_spec for address in received["to"].addresses] in ([OWNER], [SUPPORT])
    if received["reply-to"]:
        assert [address.addr_spec for address in received["reply-to"].addresses] == [SUPPORT]
    assert not received["subject"].defects
    assert "\n" not in received["subject"]


@pytest.fixture
def hostile_north(north: Agency) -> Agency:
    north.support_email = SUPPORT
    north.save()
    so = {"trouble": "unreachable", "reconcile_result": {"outcome": reconcile.TOO_MANY_ABSENT}}
    VendorAccount.objects.filter(agency=north).update(**so)
    return north


@pytest.mark.parametrize("name", [*OURS, *ALLAUTHS])
def test_no_text_adds_a_header_or_a_reader(
    name: str, hostile_north: Agency, bos_company: Customer, record_figure: RecordFigure
):
    if name in mails.STATE_OF:
        row = Subaccount.objects.for_agency(hostile_north).filter(customer=bos_company)
        row.update(state=mails.STATE_OF[name], vendor_id="sub_5", bound_at=timezone.now(), run_at=None)
    received = 0
    for text in [*payloads_of("header"), *payloads_of("unicode"), "x" * 120, "é" * 120]:
        text = text.replace("\x00", "")  # no column takes it
        if (message := as_received(name, text, agency=hostile_north, customer=bos_company)) is not None:
            assert_is_as_written(message)
            received += 1

    assert received > 50
    record_figure("Mails with hostile names", {"mails without an added header": received})


def test_no_payload_adds_a_header_or_a_reader(hostile_north: Agency, bos_company: Customer):
    for text in payloads():
        text = text.replace("\x00", "")[:120]
        message = as_received("paused", text, agency=hostile_north, customer=bos_company)
        assert message is not None
        assert_is_as_written(message)
        assert "1787569" not in message.get_content(), "no template is made of a text"
