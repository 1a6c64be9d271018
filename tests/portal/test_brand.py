"""The brand page: what it publishes, previews and refuses."""

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts import brand_colours, brands, jobs, people
from accounts.models import Agency, Brand, Event, User
from portal import colour_words
from tests import factories

pytestmark = pytest.mark.django_db
PAGE = "/console/brand/"


@pytest.fixture
def ada_client(client_for: Callable[..., Client], north: Agency, ada: User) -> Client:
    return client_for(north, ada)


def png(size: tuple[int, int] = (40, 20)) -> bytes:
    written = io.BytesIO()
    Image.new("RGB", size, "teal").save(written, "PNG")
    return written.getvalue()


def upload(content: bytes, name: str = "logo.png") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, "image/png")


def filled(**changes: Any) -> dict[str, Any]:
    values = {
        "name": "North",
        "product_name": "North",
        "tagline": "",
        "colour": "#206bc4",
        "grey": "cool",
        "corner": "8",
        "support_email": "owner@north.example",
        "support_phone": "",
        "support_hours": "",
        "terms_url": "https://north.example/terms",
        "privacy_url": "",
        "sender_name": "",
        "language": "en",
    }
    return values | changes


def events(agency: Agency) -> list[dict[str, Any]]:
    return [event.data for event in Event.objects.for_agency(agency).filter(kind="brand.changed").order_by("pk")]


def flat(answer: Any) -> str:
    return " ".join(answer.text.split())


def test_a_new_brand_is_published_with_one_event_that_holds_no_texts(
    ada_client: Client, north: Agency, client_for: Any
):
    before = north.brand.hash

    answer = ada_client.post(
        PAGE, filled(product_name="Aurora Coupons", tagline="Come back soon", colour="0F5F5C", corner="12"), follow=True
    )

    assert "Published." in answer.text
    brand = Brand.objects.get(agency=north)
    assert (brand.colour, brand.corner) == ("#0f5f5c", 12)
    assert brand.hash != before
    page = client_for(north).get("/account/login/").text
    assert "Aurora Coupons" in page
    assert "Come back soon" in page
    assert brand.hash in page
    assert events(north) == [{"changed": ["product_name", "tagline", "colour", "corner"]}]
    assert "Aurora" not in json.dumps(events(north))


def test_publishing_what_is_there_already_changes_nothing(ada_client: Client, north: Agency):
    answer = ada_client.post(PAGE, filled(), follow=True)

    assert "Nothing was different" in answer.text
    assert events(north) == []


def test_a_logo_is_written_anew_shown_and_removed(ada_client: Client, north: Agency):
    ada_client.post(PAGE, filled(logo=upload(png((1000, 100)) + b"<script>alert(1)</script>")))
    brand = Brand.objects.get(agency=north)
    shown = ada_client.get(f"/brand/{brand.hash}.png")
    assert Image.open(io.BytesIO(shown.content)).size == (512, 51)
    assert b"script" not in shown.content

    ada_client.post(PAGE, filled(tagline="New words"))
    assert Brand.objects.get(agency=north).logo, "kept where no other is chosen"

    ada_client.post(PAGE, filled(tagline="New words", remove_logo="on"))
    assert not Brand.objects.get(agency=north).logo
    assert [data["changed"] for data in events(north)] == [["logo"], ["tagline"], ["logo"]]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"logo": upload(b"<svg></svg>", "logo.svg")}, "This is an SVG"),
        ({"logo": upload(b"no picture")}, "cannot read this picture"),
        ({"logo": upload(png() + b"0" * 2 * 1024 * 1024)}, "larger than 2 MB"),
        ({"logo": upload(png((4100, 4000)))}, "16 million pixels"),
        ({"colour": "green"}, "This is no colour"),
        ({"colour": "#0f5f5c;} body{display:none"}, "This is no colour"),
        ({"grey": "pink"}, "pink"),
        ({"corner": "99"}, "99"),
        ({"support_email": "help at north"}, "valid email"),
        ({"support_email": ""}, "This field is required"),
        ({"product_name": ""}, "This field is required"),
        ({"terms_url": "javascript:alert(1)"}, "whole web address"),
        ({"privacy_url": "ftp://north.example/"}, "whole web address"),
        ({"language": "xx"}, "xx"),
    ],
)
def test_bad_input_is_said_and_nothing_is_lost(ada_client: Client, north: Agency, changes: dict[str, Any], says: str):
    before = Brand.objects.filter(agency=north).values().get()

    answer = ada_client.post(PAGE, filled(**{"tagline": "A line to keep", **changes}))

    assert answer.status_code == 200
    assert says in answer.text
    assert "A line to keep" in answer.text
    assert Brand.objects.filter(agency=north).values().get() == before
    assert events(north) == []


def test_fields_that_are_not_in_the_form_change_nothing(ada_client: Client, north: Agency, south: Agency):
    before = Agency.objects.filter(pk=north.pk).values().get()

    ada_client.post(
        PAGE,
        filled(id=str(south.pk), stopped_at="2026-01-01", daily_creates="9999", customer_limit="1", css="x", hash="y"),
    )

    assert Agency.objects.filter(pk=north.pk).values().get() == before
    assert Brand.objects.get(agency=north).css.startswith(":root")


def test_the_preview_shows_what_was_entered_and_saves_nothing(ada_client: Client, north: Agency):
    entered = filled(
        product_name="Aurora Coupons", colour="#ffc629", sender_name='Team "Aurora"\r\nBcc: x@evil.example'
    )

    for answer in (
        ada_client.post(f"{PAGE}preview/", entered),
        ada_client.post(PAGE, filled(product_name="Aurora Coupons", colour="#ffc629", do="preview")),
    ):
        assert answer.status_code == 200
        assert "Aurora Coupons" in answer.text
        assert "preview.css?colour=%23ffc629&amp;grey=cool&amp;corner=8" in answer.text
        assert "Dark text on it" in answer.text
    north.refresh_from_db()
    assert north.product_name == "North"
    assert events(north) == []


def test_the_preview_shows_a_picture_that_is_not_saved(ada_client: Client, north: Agency):
    answer = ada_client.post(f"{PAGE}preview/", filled(logo=upload(png())))

    assert 'src="data:image/png;base64,' in answer.text
    assert not Brand.objects.get(agency=north).logo


def test_the_preview_keeps_what_is_published_where_an_entry_is_not_valid_yet(ada_client: Client):
    answer = ada_client.post(f"{PAGE}preview/", filled(colour="#12", product_name="Aurora"))

    assert answer.status_code == 200
    assert "colour=%23206bc4" in answer.text
    assert "Aurora" in answer.text


def test_the_style_sheet_of_the_preview_colours_the_preview_only(ada_client: Client):
    answer = ada_client.get(f"{PAGE}preview.css", {"colour": "#0f5f5c", "grey": "warm", "corner": "12"})

    assert answer["Content-Type"].startswith("text/css")
    assert answer.text.startswith(".preview {")
    assert answer.text.count("{") == 1
    assert "#0f5f5c" in answer.text


@pytest.mark.parametrize(
    "looks",
    [
        {},
        {"colour": "#0f5f5c}body{", "grey": "cool", "corner": "8"},
        {"colour": "#0f5f5c", "grey": "cool;x", "corner": "8"},
        {"colour": "#0f5f5c", "grey": "cool", "corner": "7"},
    ],
)
def test_anything_else_is_no_style_sheet(ada_client: Client, looks: dict[str, str]):
    assert ada_client.get(f"{PAGE}preview.css", looks).status_code == 400


def test_the_page_names_the_hosts_and_who_adds_them(ada_client: Client):
    text = ada_client.get(PAGE).text

    assert "north.localhost" in text
    assert "Added by the operator" in text


@pytest.mark.parametrize("role", ["support", "analyst"])
def test_staff_without_the_role_do_not_get_in_and_see_no_link(role: str, north: Agency, client_for: Any):
    client = client_for(north, factories.staff(north, f"{role}@north.example", role))

    assert client.get(PAGE).status_code == 403
    assert client.post(PAGE, filled(name="Mine")).status_code == 403
    assert client.post(f"{PAGE}preview/", filled()).status_code == 403
    assert PAGE not in client.get("/console/packages/").text


def test_mails_carry_the_name_that_the_agency_chose(ada_client: Client, north: Agency, ada: User):
    ada_client.post(PAGE, filled(sender_name='Team "Aurora"'))
    people.invite_staff(
        agency=Agency.objects.get(pk=north.pk), email="new@north.example", staff_role="admin", acting_user=None
    )
    while jobs.run():
        pass

    assert mail.outbox[-1].from_email.startswith('"Team Aurora" <')


def test_an_unknown_word_about_the_agency_is_an_error_of_the_caller(north: Agency, ada: User):
    with pytest.raises(ValueError, match="stopped_at"):
        brands.publish(north, acting_user=ada, colour="#206bc4", grey="cool", corner=8, stopped_at="now")


@pytest.mark.parametrize(
    ("colour", "says"),
    [
        ("#0f5f5c", ["White text on it: 7.4 to 1", "used as it is"]),
        ("#ffc629", ["Dark text on it", "a darker tone of it: #826200"]),
        ("#fefce8", ["hard to see", "edge around buttons"]),
    ],
)
def test_the_contrast_is_said_in_words(colour: str, says: list[str]):
    said = " ".join(remark.text for remark in colour_words.remarks(colour))

    for words in says:
        assert words in said


def test_a_very_pale_colour_gives_buttons_an_edge():
    assert "--portal-edge: light-dark" in brands.style_sheet(colour="#fefce8", grey="cool", corner=8)
    assert "--portal-edge: initial" in brands.style_sheet(colour="#ffc629", grey="cool", corner=8)
    assert brand_colours.contrast("#ffc629", "#ffffff") > brands.PALE
