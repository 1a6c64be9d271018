"""Directories in both dialects: pages, payment status and access, sign-on."""

from urllib.parse import urlsplit

import pytest

USERS = "/v3/directoryusers/list"
UPDATE = "/v3/directoryusers/update"


@pytest.fixture
def v4(stock) -> str:
    """The path of Ada's directory in the REST dialect."""
    return f"/v4/directory/{stock.directory.removeprefix('dir_')}"


@pytest.fixture
def user_v4(stock, v4) -> str:
    return f"{v4}/users/{stock.directory_user.removeprefix('reg_')}"


class TestDirectories:
    def test_both_dialects_tell_of_the_same(self, ada, stock, v4):
        rows = ada.post("/v3/directory/list").json
        bare = ada.get("/v4/directory").json

        assert rows["amount_of_directories"] == len(bare) == 1
        assert rows["directory"][0]["ID"] == stock.directory == f"dir_{bare[0]['id']}"
        assert ada.post("/v3/directory/info", directory=stock.directory).json["directory"] == rows["directory"][0]
        assert ada.get(v4).json == bare[0]

    def test_its_campaigns_are_some_of_the_owners(self, ada, stock):
        own = [row["ID"] for row in ada.post("/v3/coupon/list").json["coupon_info"]]

        shown = ada.post("/v3/directorycampaigns/list", directory=stock.directory).json["coupon_info"]

        assert [row["ID"] for row in shown] == own[::2]

    def test_categories_have_two_lists(self, ada, stock):
        main, third = (ada.post(f"/v3/category{part}/list").json["category"] for part in ("", "/main"))

        assert main
        assert third
        assert not {row["ID"] for row in main} & {row["ID"] for row in third}
        assert all(row["ID"].startswith("cat_") for row in main + third)

    def test_lists_can_have_the_other_key(self, ada, stock, sandbox):
        sandbox.settings(other_lists="plural")

        assert ada.post("/v3/directory/list").json["directories"][0]["ID"] == stock.directory


class TestUsers:
    def test_a_page_holds_a_hundred_the_newest_first(self, ada, stock):
        pages = [ada.post(USERS, directory=stock.directory, page=page).json["user"] for page in (1, 2, 3)]

        created = [row["created_date_utc"] for page in pages for row in page]
        assert [len(page) for page in pages] == [100, 30, 0]
        assert created == sorted(created, reverse=True)
        assert len({row["ID"] for page in pages for row in page}) == 130

    def test_the_rest_dialect_has_the_same_pages(self, ada, stock, v4, sandbox):
        sandbox.settings(directory_page_size=40)
        rpc = ada.post(USERS, directory=stock.directory, page=2).json["user"]

        rest = ada.get(f"{v4}/users?page=2").json

        assert [f"reg_{row['id']}" for row in rest] == [row["ID"] for row in rpc]
        assert len(rest) == 40

    @pytest.mark.parametrize("name", ["payment_status", "status"])
    def test_who_has_paid_has_access(self, ada, stock, user_v4, name):
        who = {"directory": stock.directory, "user": stock.directory_user}

        paid = ada.post(UPDATE, **who, **{name: "paid"}).json["user"]
        with_access = ada.get(user_v4).json
        ada.send("DELETE", f"{user_v4}/access")

        assert paid["payment_status"] == "paid"
        assert with_access["access"] is True
        assert ada.get(user_v4).json["access"] is False

    def test_access_can_end_at_a_moment(self, ada, stock, user_v4):
        granted = ada.post(f"{user_v4}/access", expires_at="2030-12-31 18:00:00").json

        assert (granted["access"], granted["expires_at"]) == (True, "2030-12-31 18:00:00")
        assert ada.send("DELETE", f"{user_v4}/access").json["expires_at"] is None

    def test_one_is_made_without_its_password_coming_back(self, ada, v4):
        made = ada.post(f"{v4}/users", email="zoe@cafe.test", password="long-enough", birth_date="1990-01-31")

        assert made.json["email"] == "zoe@cafe.test"
        assert (made.json["birth_date"], made.json["access"]) == ("1990-01-31", False)
        assert "long-enough" not in made.text
        assert ada.get(f"{v4}/users").json[0] == made.json
        assert ada.get(f"{v4}/users/{made.json['id']}").json == made.json

    def test_one_can_be_blocked(self, ada, user_v4):
        assert ada.post(user_v4, block=True).json["block"] is True
        assert ada.post(user_v4, block=False).json["block"] is False

    def test_another_directorys_user_is_not_found(self, ada, sandbox, stock, bos_keys, bo):
        sandbox.add_campaign(bo, name="Spring")
        other = bos_keys.post("/v3/directory/list").json["directory"][0]["ID"]

        answer = bos_keys.post(UPDATE, directory=other, user=stock.directory_user, payment_status="paid")

        assert answer.codes == [507]

    def test_a_sign_on_works_once(self, ada, visitor, stock, user_v4):
        url = urlsplit(ada.post(f"{user_v4}/sso").json["url"])
        path = f"{url.path}?{url.query}"

        first, second = visitor.get(path), visitor.get(path)

        assert f'data-user="{stock.directory_user}"' in first.text
        assert second.status == 403

    @pytest.mark.parametrize(
        ("method", "path", "body"),
        [
            ("POST", "", b'{"block": true}'),
            ("DELETE", "/access", b""),
            ("POST", "/access", b'{"expires_at": "2020-12-31 18:00:00"}'),
        ],
        ids=["blocked", "revoked", "ended"],
    )
    def test_who_has_no_access_is_neither_signed_on_nor_let_in(self, ada, visitor, user_v4, method, path, body):
        url = urlsplit(ada.post(f"{user_v4}/sso").json["url"])
        ada.send(method, f"{user_v4}{path}", body)

        refused = ada.post(f"{user_v4}/sso")
        door = visitor.get(f"{url.path}?{url.query}")

        assert (refused.status, refused.json["error_code"]) == (422, [300])
        assert (door.status, "no access" in door.text) == (403, True)

    def test_a_directory_can_be_sent_by_email(self, ada, sandbox, stock, v4):
        by_rest = ada.post(f"{v4}/distribution/email", email="zoe@cafe.test")
        by_rpc = ada.post("/v3/send/email", campaign=stock.directory, email="zoe@cafe.test")

        assert by_rest.json == {"action": "email_sent"}
        assert by_rpc.json == {"status": {"status": "OK"}, "action": "email_sent"}
        assert [effect["directory"] for effect in sandbox.effects("email_sent")] == [stock.directory] * 2


def test_errors_of_the_rest_dialect_can_come_in_the_other_envelope(ada, sandbox, stock):
    bare = ada.get("/v4/directory/999999")
    sandbox.settings(rest_errors="status")
    wrapped = ada.get("/v4/directory/999999")

    assert (bare.status, bare.json["error_code"]) == (404, [507])
    assert (wrapped.status, wrapped.codes) == (422, [507])


@pytest.mark.parametrize(
    ("switch", "statuses"), [("both", [200, 200]), ("x-api", [200, 401]), ("x-client", [401, 200])]
)
def test_the_rest_dialect_takes_the_headers_of_the_switch(sandbox, ada, visitor, switch, statuses):
    sandbox.settings(rest_headers=switch)
    visitor.headers = {"x-api-key": "north", "x-api-secret": "north-secret"}

    assert [caller.get("/v4/directory").status for caller in (visitor, ada)] == statuses
