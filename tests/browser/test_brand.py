"""A manager tries a colour, sees what it does before anybody else, and publishes it."""

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import expect

from accounts.models import Agency, Brand, User
from tests.browser.conftest import Watch, carry_session
from tests.browser.inspection import Inspector
from tests.browser.screenshots import Album

pytestmark = pytest.mark.django_db(transaction=True)
FILL = "getComputedStyle(document.querySelector('.preview .btn-primary')).backgroundColor"
PAGE_FILL = "getComputedStyle(document.querySelector('form .btn-primary')).backgroundColor"


def logo() -> dict[str, object]:
    written = io.BytesIO()
    Image.new("RGB", (120, 60), "#c2410c").save(written, "PNG")
    return {"name": "logo.png", "mimeType": "image/png", "buffer": written.getvalue()}


def test_a_brand_is_tried_in_the_preview_and_published(north: Agency, ada: User, watched: Watch, album: Album):
    inspector = Inspector(album, "pine")
    page = watched.page()
    carry_session(page.context, "north.localhost", ada)
    page.goto("/console/brand/")
    inspector.look(page, "brand")
    assert page.evaluate(FILL) == "rgb(15, 95, 92)"

    page.get_by_label("Product name").fill("Aurora Coupons")
    page.get_by_label("One sentence on the sign-in page").fill("Come back tomorrow")
    page.locator("#id_logo").set_input_files(files=[logo()])
    page.get_by_label("Your colour").fill("#ffc629")
    page.get_by_label("Your colour").blur()
    expect(page.locator("#preview")).to_contain_text("a darker tone of it: #826200")
    expect(page.locator("#preview img").first).to_have_attribute("src", re.compile("^data:image/png"))
    expect(page.locator("#preview")).to_contain_text("The account of Bloom & Co at Aurora Coupons is ready")
    expect(page.locator(".preview .btn-primary").first).to_have_css("background-color", "rgb(255, 198, 41)")
    assert page.evaluate(PAGE_FILL) == "rgb(15, 95, 92)", "the preview colours itself only"
    page.get_by_label("Pick a colour").evaluate("(field) => { field.value = '#fefce8'; }")
    page.get_by_label("Pick a colour").dispatch_event("input")
    page.get_by_label("Pick a colour").dispatch_event("change")
    expect(page.locator("#preview")).to_contain_text("hard to see")
    expect(page.get_by_label("Your colour")).to_have_value("#fefce8")
    inspector.look(page, "brand pale")

    page.get_by_label("Your colour").fill("yellow")
    page.get_by_role("button", name="Save and publish").click()
    expect(page.locator("[data-summary]")).to_be_focused()
    inspector.look(page, "brand refused")
    page.get_by_label("Your colour").fill("#ffc629")
    page.get_by_text("Round", exact=True).click()
    page.locator("#id_logo").set_input_files(files=[logo()])
    page.get_by_role("button", name="Save and publish").click()
    expect(page.get_by_role("status").filter(has_text="Published.")).to_be_visible()
    inspector.look(page, "brand published")
    assert Brand.objects.get(agency=north).corner == 12
    assert page.evaluate(PAGE_FILL) == "rgb(255, 198, 41)"

    assert inspector.report() == ""


def test_the_preview_works_without_script(north: Agency, ada: User, watched: Watch):
    page = watched.page(java_script_enabled=False)
    carry_session(page.context, "north.localhost", ada)
    page.goto("/console/brand/")

    page.get_by_label("Product name").fill("Aurora Coupons")
    page.get_by_label("Your colour").fill("#ffc629")
    page.get_by_role("button", name="Show the preview").click()

    expect(page.get_by_text("This is a preview.")).to_be_visible()
    expect(page.locator("#preview")).to_contain_text("a darker tone of it: #826200")
    expect(page.get_by_label("Product name")).to_have_value("Aurora Coupons")
    north.refresh_from_db()
    assert north.product_name == "North"
