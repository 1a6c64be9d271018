"""What each endpoint answers, and what it refuses."""

import re
import threading

import pytest

from .conftest import Caller

LIST = "/v4/subaccount/list"
GET = "/v4/subaccount"
CREATE = "/v4/subaccount/create"
UPDATE = "/v4/subaccount/update"
RESET = "/v3/subaccount/reset/url"
SIGN_ON = "/v3/subaccount/sso"
ABOUT_ONE = [GET, UPDATE, RESET, SIGN_ON]


@pytest.mark.parametrize("path", ABOUT_ONE)
class TestWhichSubaccount:
    def test_it_takes_both_forms_of_an_id(self, ada, bo, path):
        for form in (bo, bo.removeprefix("sub_"), int(bo.removeprefix("sub_"))):
            assert ada.post(path, subaccount=form, first_name="Bo").json["subaccount"]["ID"] == bo

    @pytest.mark.parametrize("absent", [{}, {"subaccount": None}, {"subaccount": ""}])
    def test_it_misses_it(self, ada, path, absent):
        assert ada.post(path, **absent).codes == [200]

    @pytest.mark.parametrize("wrong", ["x", "cam_1001", "sub_", "sub_1 OR 1", "-1", "sub_\u0661", True])
    def test_it_refuses_other_characters(self, ada, path, wrong):
        assert ada.post(path, subaccount=wrong).codes == [301]

    def test_it_refuses_a_structure(self, ada, path):
        assert ada.post(path, subaccount=["sub_1001"]).codes == [300]

    def test_it_does_not_know_another_accounts_subaccount(self, ada, cy, bo, path):
        assert cy.post(path, subaccount=bo).codes == [510]
        assert ada.post(path, subaccount="sub_999999").codes == [510]

    def test_it_says_so_in_the_words_of_its_page(self, ada, path):
        errors = ada.post(path, subaccount="sub_999999").json["status"]["errors"]

        words = "Subaccount ID not found" if path == RESET else "Subaccount ID not correct."
        assert errors["error_message_description"] == [words]

    def test_it_does_not_know_a_removed_one(self, ada, sandbox, bo, path):
        sandbox.remove_subaccount(bo)

        assert ada.post(path, subaccount=bo).codes == [510]


def test_a_list_holds_the_accounts_own(ada, cy, bo):
    answer = ada.post(LIST).json

    assert [row["ID"] for row in answer["subaccounts"]] == [bo]
    assert answer["subaccounts"][0]["email"] == "bo@bakery.test"
    assert cy.post(LIST).json["subaccounts"] == []


def test_a_list_can_use_the_other_key(ada, sandbox, bo):
    sandbox.settings(list_key="subaccount")

    assert ada.post(LIST).json["subaccount"][0]["ID"] == bo


def test_ids_can_be_bare(ada, sandbox, bo):
    sandbox.settings(id_style="bare")
    bare = bo.removeprefix("sub_")

    assert ada.post(LIST).json["subaccounts"][0]["ID"] == bare
    assert ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["ID"] == bare
    assert ada.post("/v3/teammate/sso", teammate="77").json["teammate"]["ID"] == "77"


def test_get_tells_the_documented_fields(ada, sandbox, bo):
    campaign = sandbox.add_campaign(bo, name="Spring", status="example")

    details = ada.post(GET, subaccount=bo).json["subaccount"]

    assert details["has_campaigns"] == "1"
    assert details["amountlogin"] == "0"
    assert details["access_dashboard"] is True
    assert re.fullmatch(r"[0-9]{27}", details["api_key"])
    assert re.fullmatch(r"[A-Za-z0-9]{30}", details["api_secret"])
    (row,) = details["campaigns"]
    assert (row["ID"], row["status"]) == (campaign, "example")
    assert row["url"].endswith(row["code"])


class TestCreate:
    def test_it_keeps_everything_but_the_password(self, ada, sandbox):
        sent = {
            "email": "new@cafe.test",
            "package": "pac_1",
            "status": "trial",
            "first_name": "Émile",
            "last_name": "O'Neil",
            "country": "BE",
            "company_name": "Café <b>",
            "expiry_date": "2030-12-31",
        }

        answer = ada.post(CREATE, password="long-enough-password", **sent)

        (row,) = sandbox.subaccounts("north")
        (effect,) = sandbox.effects()
        assert answer.json["subaccount"] == {"ID": row["ID"], "email": "new@cafe.test"}
        assert sent.items() <= row.items()
        assert sent.items() <= effect.items()
        assert effect["kind"] == "subaccount_created"
        assert effect["password_given"] is True

    def test_it_mails_whoever_has_no_password(self, ada, sandbox):
        ada.post(CREATE, email="new@cafe.test")

        assert [effect["email"] for effect in sandbox.effects("password_mail")] == ["new@cafe.test"]

    @pytest.mark.parametrize(
        ("wrong", "codes"),
        [
            ({"email": None}, [200]),
            ({"email": " "}, [200]),
            ({"email": "nobody"}, [305]),
            ({"email": "a b@cafe.test"}, [305]),
            ({"email": "a@cafe"}, [305]),
            ({"expiry_date": "31-12-2030"}, [303]),
            ({"expiry_date": "2030-02-30"}, [303]),
            ({"expiry_date": "20301231"}, [303]),
            ({"status": "paying"}, [302]),
            ({"package": "pac_9"}, [302]),
            ({"email": None, "expiry_date": "soon", "status": "x"}, [200, 303, 302]),
        ],
    )
    def test_it_refuses_wrong_values_all_at_once(self, ada, sandbox, wrong, codes):
        answer = ada.post(CREATE, **{"email": "new@cafe.test", **wrong})

        assert answer.codes == codes
        assert len(answer.json["status"]["errors"]["error_message_description"]) == len(codes)
        assert sandbox.requests()[0].codes == tuple(codes)
        assert sandbox.subaccounts() == sandbox.effects() == []

    def test_an_address_exists_once_per_account(self, ada, cy, bo):
        assert ada.post(CREATE, email="BO@Bakery.test").codes == [304]
        assert cy.post(CREATE, email="bo@bakery.test").status == 200

    def test_an_address_exists_once_at_the_vendor(self, cy, sandbox, bo):
        sandbox.settings(email_unique="per_vendor")

        assert cy.post(CREATE, email="bo@bakery.test").codes == [304]

    def test_an_address_exists_many_times(self, ada, sandbox, bo):
        sandbox.settings(email_unique="none")

        assert ada.post(CREATE, email="bo@bakery.test").status == 200
        assert len(sandbox.subaccounts("north")) == 2

    @pytest.mark.parametrize(("unique", "made"), [("per_account", 1), ("per_vendor", 1), ("none", 12)])
    def test_a_race_for_one_address_has_as_many_winners_as_the_rule_allows(self, sandbox, ada, unique, made):
        sandbox.settings(email_unique=unique)
        together = threading.Barrier(12)
        statuses = []

        def create() -> None:
            together.wait()
            statuses.append(ada.post(CREATE, email="race@cafe.test").status)

        threads = [threading.Thread(target=create) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert statuses.count(200) == made
        assert len({row["ID"] for row in sandbox.subaccounts()}) == made
        assert len(sandbox.effects("subaccount_created")) == made

    def test_a_number_is_never_used_twice(self, ada, sandbox, bo):
        sandbox.remove_subaccount(bo)

        assert ada.post(CREATE, email="bo@bakery.test").json["subaccount"]["ID"] != bo


class TestUpdate:
    def test_it_changes_what_is_given(self, ada, sandbox, bo):
        answer = ada.post(UPDATE, subaccount=bo, package="pac_2", password="x" * 12)

        (row,) = sandbox.subaccounts()
        assert answer.json["subaccount"]["ID"] == bo
        assert (row["package"], row["company_name"]) == ("pac_2", "Bo's Bakery")
        assert sandbox.effects("updated")[0]["package"] == "pac_2"

    @pytest.mark.parametrize("nothing", [{}, {"company": "New"}, {"email": " ", "password": None}], ids=repr)
    def test_it_wants_something_that_it_knows(self, ada, sandbox, bo, nothing):
        assert ada.post(UPDATE, subaccount=bo, **nothing).codes == [200]
        assert sandbox.effects("updated") == []

    def test_it_may_keep_its_own_address_but_take_no_other(self, ada, sandbox, bo):
        sandbox.add_subaccount("north", email="other@bakery.test")

        assert ada.post(UPDATE, subaccount=bo, email="Bo@bakery.test").status == 200
        assert ada.post(UPDATE, subaccount=bo, email="other@bakery.test").codes == [304]

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [({"email": "x"}, 305), ({"expiry_date": "x"}, 303), ({"status": "x"}, 302)],
    )
    def test_it_refuses_wrong_values(self, ada, bo, wrong, code):
        assert ada.post(UPDATE, subaccount=bo, **wrong).codes == [code]


class TestSignOn:
    def test_it_links_to_the_panel(self, ada, sandbox, bo):
        answer = ada.post(SIGN_ON, subaccount=bo).json["subaccount"]

        assert re.fullmatch(r"[A-Za-z0-9]{49}", answer["token"])
        query = f"index.php?action=login&logintype=sso&token={answer['token']}"
        assert answer == {
            "ID": bo,
            "token": answer["token"],
            "url": f"http://{sandbox.panel_host}/{query}",
        }
        assert sandbox.effects("sign_on")[0]["subaccount"] == bo

    @pytest.mark.parametrize("blank", [None, ""])
    def test_it_has_a_blank_where_there_is_no_white_label(self, ada, sandbox, bo, blank):
        sandbox.settings(whitelabel_blank=blank)

        assert ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["url_whitelabel"] == blank

    @pytest.mark.parametrize(
        ("host", "start"),
        [("login.north.test", "http://login.north.test/"), ("https://n.test", "https://n.test/")],
    )
    def test_it_links_to_the_white_label_host(self, ada, sandbox, bo, host, start):
        sandbox.add_account("north", "north-secret", whitelabel_host=host)

        answer = ada.post(SIGN_ON, subaccount=bo).json["subaccount"]

        assert answer["url_whitelabel"].startswith(start + "index.php?")
        assert answer["url_whitelabel"].endswith(answer["token"])

    @pytest.mark.parametrize("page", ["campaigns", "add_campaign", "statistics", "distribution", "update_campaign"])
    def test_it_takes_each_page(self, ada, sandbox, bo, page):
        campaign = sandbox.add_campaign(bo, name="Spring")

        assert ada.post(SIGN_ON, subaccount=bo, page=page, campaign=campaign).status == 200

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"page": "settings"}, 302),
            ({"page": "update_campaign"}, 200),
            ({"page": "update_campaign", "campaign": "cam_x"}, 301),
            ({"page": "update_campaign", "campaign": "cam_9"}, 502),
        ],
    )
    def test_it_refuses_wrong_pages_and_campaigns(self, ada, bo, wrong, code):
        assert ada.post(SIGN_ON, subaccount=bo, **wrong).codes == [code]

    def test_it_does_not_know_another_subaccounts_campaign(self, ada, sandbox, bo):
        other = sandbox.add_subaccount("north", email="other@bakery.test")
        campaign = sandbox.add_campaign(other, name="Spring")

        answer = ada.post(SIGN_ON, subaccount=bo, page="update_campaign", campaign=campaign)

        assert answer.codes == [502]

    def test_it_opens_the_accounts_own_panel(self, ada, sandbox):
        answer = ada.post("/v3/account/sso").json["account"]

        assert answer["url"].endswith(answer["token"])
        assert sandbox.effects("sign_on")[0]["of"] == "account"

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            ({}, 200),
            ({"teammate": "seven"}, 301),
            ({"teammate": "78"}, 503),
            ({"teammate": 77, "campaign": "x"}, 301),
            ({"teammate": 77, "campaign": "cam_9"}, 502),
            ({"teammate": 77, "page": "update_campaign"}, 200),
        ],
    )
    def test_it_knows_its_teammates(self, ada, arguments, code):
        assert ada.post("/v3/teammate/sso", **arguments).codes == [code]

    def test_it_lets_a_teammate_in(self, ada, cy, sandbox, bo):
        campaign = sandbox.add_campaign(bo, name="Spring")
        sandbox.add_account("south", "south-secret", teammates=["78"])

        answer = ada.post("/v3/teammate/sso", teammate=77, campaign=campaign)

        assert answer.json["teammate"]["token"]
        assert cy.post("/v3/teammate/sso", teammate=78, campaign=campaign).codes == [502]


def test_a_reset_url_leads_to_a_page(ada, sandbox, bo, visitor):
    answer = ada.post(RESET, subaccount=bo).json["subaccount"]

    assert answer["ID"] == bo
    assert visitor.get(answer["url"].removeprefix(sandbox.url)).status == 200
    assert sandbox.effects("reset_url")[0]["subaccount"] == bo


class TestTheStage:
    def test_it_is_set_over_http_and_any_number_of_times(self, sandbox, visitor):
        document = {
            "accounts": [{"client_id": "east", "client_secret": "s", "packages": ["pac_5"]}],
            "subaccounts": [
                {
                    "client_id": "east",
                    "email": "eve@east.test",
                    "campaigns": [{"name": "Spring", "status": "active"}],
                },
                {"client_id": "east", "email": "eve@east.test", "ID": "sub_4242"},
            ],
        }

        first = visitor.control("POST", "/_state", document).json
        second = visitor.control("POST", "/_state", document).json
        state = visitor.control("GET", "/_state")

        assert first == second
        assert len(sandbox.subaccounts("east")) == 2
        assert sandbox.subaccounts("east")[0]["campaigns"][0]["name"] == "Spring"
        assert "secret" not in state.text
        assert Caller(sandbox.url, {"X-Client-Id": "east", "X-Client-Secret": "s"}).post(LIST).status == 200

    def test_a_mistake_changes_nothing(self, sandbox, visitor):
        document = {
            "accounts": [{"client_id": "east", "client_secret": "s"}],
            "subaccounts": [{"client_id": "east", "email": "eve@east.test", "nonsense": 1}],
        }

        assert visitor.control("POST", "/_state", document).status == 400
        assert "east" not in visitor.control("GET", "/_state").text

    def test_a_change_keeps_the_rest(self, sandbox, ada, bo):
        sandbox.add_account("north", "north-secret", whitelabel_host="login.north.test")
        sandbox.add_subaccount("north", email="bo@bakery.test", first_name="Bo")

        assert ada.post(CREATE, email="new@cafe.test", package="pac_1").status == 200
        assert sandbox.subaccounts()[0]["company_name"] == "Bo's Bakery"

    def test_a_subaccount_can_vanish(self, ada, visitor, bo):
        assert visitor.control("DELETE", f"/_state/subaccounts/{bo}").status == 200
        assert ada.post(LIST).json["subaccounts"] == []
