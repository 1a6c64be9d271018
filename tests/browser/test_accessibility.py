"""axe on every address that shows somebody a page: both brands, phone and desk, light and dark, menus open, too."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.apps import apps
from django.test import Client

from accounts import brands
from coupontools_api.sandbox import Sandbox
from tests.access import making
from tests.access import world as worlds
from tests.access.rules import rule_for
from tests.access.world import Url, World
from tests.browser.conftest import DARK_PINE, Watch, carry_key
from tests.browser.inspection import STEPS, STEPS_OF_ANOTHER_BRAND, Inspector
from tests.browser.screenshots import Album
from tests.browser.walking import reauthenticate

pytestmark = pytest.mark.django_db(transaction=True)

# Who looks, in this order: the first whom an address shows a page is the one.
LOOKERS = {
    "own": ("owner", "staff_owner", "anonymous", "unverified"),
    "foreign": ("foreign_member", "foreign_staff", "anonymous"),
    "platform": ("operator", "anonymous"),
}
# Addresses that show a page only in some state or in the middle of a walk, which the other files of this name take.
# Those that take a POST alone are known from the matrix.
NO_PAGE = {
    "console:brand-preview-css",
    "console:customer-address",
    "console:customer-decline",
    "console:customer-erase",
    "console:customer-link",
    "console:customer-make-new",
    "console:customer-resume",
    "home",
    "accept_invitation",
    "brand_css",
    "brand_logo",
    "customer:launch",
    "customer:password-link",
    "account_confirm_login_code",
    "account_confirm_password_reset_code",
    "account_complete_password_reset",
    "account_set_password",
    "mfa_authenticate",
    "mfa_download_recovery_codes",
    "mfa_edit_webauthn",
    "mfa_login_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_remove_webauthn",
}
NO_PAGE_THERE = {
    "own": set(),
    "foreign": {"account_email_verification_sent", "mfa_view_recovery_codes"},
    "platform": {
        "account_email_verification_sent",
        "mfa_view_recovery_codes",
        "mfa_activate_totp",
        "account_signup",
        "admin:login",
        "admin:logout",
    },
}


def shows_page(world: World, host: str, person: str, path: str) -> bool:
    client = Client(headers={"host": world.host(host)})
    if person in world.sessions:
        client.cookies["session"] = world.sessions[person]
    answer = client.get(path)
    return answer.status_code == 200 and "text/html" in answer.headers["Content-Type"]


def path_at(world: World, url: Url, host: str) -> str:
    path = world.path(url, "foreign" if host == "foreign" else "own")
    if "<path:object_id>" in url.route:
        path = path.replace("/1/", f"/{first_key(url.name)}/")
    return path


def first_key(admin_name: str) -> object:
    """The key of a row that the operator's page of that name can show."""
    model = apps.get_model("accounts", admin_name.removeprefix("admin:accounts_").removesuffix("_change"))
    rows = model._default_manager.all()
    rows = rows.across_agencies() if hasattr(rows, "across_agencies") else rows
    return rows.values_list("pk", flat=True).first()


@pytest.mark.parametrize("host", ["own", "foreign", "platform"])
def test_axe_finds_nothing_on_any_address(host: str, sandbox: Sandbox, watched: Watch, album: Album):
    world = making.make(sandbox)
    brands.save(world.north, colour=DARK_PINE, grey="cool", corner=8)
    RecoveryCodes.activate(world.people["staff_owner"])
    for name, key in world.sessions.items():
        if name != "unverified":
            reauthenticate(key, world.people[name])
    chosen: dict[str, list[Url]] = {}
    unseen: set[str] = set()
    for url in worlds.urls():
        if ("platform" if host == "platform" else "agency") not in url.on or rule_for(url.name).writes_on_get:
            continue
        path = path_at(world, url, host)
        person = next((name for name in LOOKERS[host] if shows_page(world, host, name, path)), None)
        if person:
            chosen.setdefault(person, []).append(url)
        else:
            unseen.add("" if not rule_for(url.name).get else url.name)
    steps = STEPS_OF_ANOTHER_BRAND if host == "foreign" else STEPS
    inspector = Inspector(album, {"own": "north", "foreign": "south"}.get(host, host), steps)

    for person, urls in chosen.items():
        context = watched.context(world.host(host))
        if person in world.sessions:
            carry_key(context, world.host(host), world.sessions[person])
        page = context.new_page()
        for url in urls:
            page.goto(path_at(world, url, host))
            inspector.look(page, f"{person} {url.route or 'home'}")

    assert inspector.report() == ""
    assert unseen - {""} <= NO_PAGE | NO_PAGE_THERE[host]
