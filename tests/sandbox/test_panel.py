"""The control panel as a browser meets it."""

from urllib.parse import urlsplit

import pytest

from .conftest import Caller

SIGN_ON = "/v3/subaccount/sso"
GONE = "This link was already used or is not valid."


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def enter(visitor: Caller, url: str) -> tuple[str, str]:
    """Follow a sign-on link; answers where it leads and the session cookie."""
    answer = visitor.get(path_of(url))
    assert answer.status == 302
    return answer.headers["Location"], answer.headers["Set-Cookie"].partition(";")[0]


def test_a_link_works_once(ada, visitor, sandbox, bo):
    url = ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["url"]

    location, cookie = enter(visitor, url)
    again = visitor.get(path_of(url))

    assert location == "/panel/home/"
    assert cookie.startswith("sandbox_panel=")
    assert again.status == 403
    assert GONE in again.text
    assert [effect["subaccount"] for effect in sandbox.effects("token_used")] == [bo]


@pytest.mark.parametrize(
    "query",
    ["", "action=login&logintype=sso", "action=login&logintype=sso&token=x", "token=x"],
)
def test_an_unknown_link_is_refused(visitor, query):
    answer = visitor.get(f"/index.php?{query}")

    assert answer.status == 403
    assert GONE in answer.text


def test_looking_without_getting_does_not_use_a_link_up(ada, visitor, bo):
    path = path_of(ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["url"])

    assert visitor.send("HEAD", path).status == 405
    assert visitor.get(path).status == 302


@pytest.mark.parametrize("page", ["campaigns", "add_campaign", "statistics", "distribution"])
def test_it_lands_on_the_page_asked_for(ada, visitor, bo, page):
    url = ada.post(SIGN_ON, subaccount=bo, page=page).json["subaccount"]["url"]

    location, cookie = enter(visitor, url)
    answer = visitor.get(location, Cookie=cookie)

    assert location == f"/panel/{page}/"
    assert f'data-page="{page}" data-subaccount="{bo}" data-campaign=""' in answer.text
    assert "Bo&#x27;s Bakery" in answer.text
    assert "bo@bakery.test" in answer.text


def test_it_lands_on_the_campaign(ada, visitor, sandbox, bo):
    campaign = sandbox.add_campaign(bo, name="Spring <sale>")
    arguments = {"subaccount": bo, "page": "update_campaign", "campaign": campaign}
    url = ada.post(SIGN_ON, **arguments).json["subaccount"]["url"]

    location, cookie = enter(visitor, url)
    answer = visitor.get(location, Cookie=cookie)

    assert location == f"/panel/update_campaign/?campaign={campaign}"
    assert f'data-campaign="{campaign}"' in answer.text
    assert "Spring &lt;sale&gt;" in answer.text


def test_pages_load_and_run_nothing_from_elsewhere(ada, visitor, bo):
    location, cookie = enter(visitor, ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["url"])

    answer = visitor.get(location, Cookie=cookie)

    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "script" not in answer.text
    assert "//" not in answer.text
    assert visitor.get("/panel/style.css").headers["Content-Type"].startswith("text/css")


def test_a_page_needs_a_session(visitor, ada, bo, sandbox):
    location, cookie = enter(visitor, ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["url"])
    sandbox.remove_subaccount(bo)

    assert visitor.get("/panel/home/").status == 403
    assert visitor.get("/panel/home/", Cookie="sandbox_panel=x").status == 403
    assert visitor.get(location, Cookie=cookie).status == 403
    assert visitor.get("/panel/nowhere/", Cookie=cookie).status == 404


def test_a_campaign_can_be_made(ada, visitor, sandbox, bo):
    url = ada.post(SIGN_ON, subaccount=bo, page="add_campaign").json["subaccount"]["url"]
    location, cookie = enter(visitor, url)
    form = visitor.get(location, Cookie=cookie)

    empty = visitor.send("POST", location, b"name=+", Cookie=cookie)
    made = visitor.send("POST", location, b"name=Summer+%26+sun", Cookie=cookie)

    (campaign,) = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]["campaigns"]
    assert '<form method="post">' in form.text
    assert empty.status == 400
    assert made.status == 303
    assert made.headers["Location"] == f"/panel/update_campaign/?campaign={campaign['ID']}"
    assert campaign["status"] == "active"
    assert sandbox.effects("campaign_created")[0]["name"] == "Summer & sun"
    assert "Summer &amp; sun" in visitor.get("/panel/campaigns/", Cookie=cookie).text


@pytest.mark.parametrize(
    ("path", "arguments", "mark"),
    [
        ("/v3/account/sso", {}, 'data-account="north"'),
        ("/v3/teammate/sso", {"teammate": "77", "page": "campaigns"}, 'data-teammate="77"'),
    ],
)
def test_the_agencys_own_panel_says_so(ada, visitor, path, arguments, mark):
    (answer,) = [value for key, value in ada.post(path, **arguments).json.items() if key != "status"]
    location, cookie = enter(visitor, answer["url"])

    page = visitor.get(location, Cookie=cookie).text

    assert mark in page
    assert "data-subaccount" not in page


def test_the_redirect_can_go_to_another_host_and_take_the_session_along(ada, visitor, sandbox, bo):
    other = sandbox.panel_host.replace("127.0.0.1", "localhost")
    sandbox.add_account("north", "north-secret", panel_redirect_host=other)
    url = ada.post(SIGN_ON, subaccount=bo, page="statistics").json["subaccount"]["url"]

    location, _ = enter(visitor, url)
    landed = visitor.get(path_of(location))
    again = visitor.get(path_of(location))

    assert location.startswith(f"http://{other}/panel/statistics/?")
    assert f'data-subaccount="{bo}"' in landed.text
    assert "sandbox_panel=" in landed.headers["Set-Cookie"]
    assert again.status == 403


def test_signing_on_counts_as_a_login(ada, visitor, bo):
    enter(visitor, ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["url"])

    details = ada.post("/v4/subaccount", subaccount=bo).json["subaccount"]

    assert details["amountlogin"] == "1"
    assert len(details["lastlogin"]) == len("2030-12-31 12:00:00")


def test_a_password_link_works_until_a_password_is_saved(ada, visitor, sandbox, bo):
    path = path_of(ada.post("/v3/subaccount/reset/url", subaccount=bo).json["subaccount"]["url"])

    assert visitor.get(path).status == 200
    assert visitor.send("POST", path, b"").status == 200
    saved = visitor.send("POST", path, b"password=a-new-password")
    again = visitor.get(path)

    assert "has been saved" in saved.text
    assert again.status == 403
    assert GONE in again.text
    assert len(sandbox.effects("password_set")) == 1
    assert sandbox.subaccounts()[0]["password_given"] is True


def test_there_is_no_icon_and_browsers_may_ask_for_it(visitor):
    assert visitor.get("/favicon.ico").status == 204
