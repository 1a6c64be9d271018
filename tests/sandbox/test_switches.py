"""Switches that turn an assumption about the vendor round."""

from urllib.parse import urlsplit

import pytest

from coupontools_api.sandbox.settings import CHOICES, Settings

LIST = "/v4/subaccount/list"
SIGN_ON = "/v3/subaccount/sso"
PUSH = "/v3/coupon/pushnotification/single"


def test_the_first_position_of_each_is_the_default():
    assert {name: choices[0] for name, choices in CHOICES.items()}.items() <= Settings().as_json().items()


def test_a_sign_on_page_can_be_refused(ada, sandbox, bo):
    sandbox.settings(sign_on_page=False)

    assert ada.post(SIGN_ON, subaccount=bo, page="campaigns").codes == [300]
    assert ada.post(SIGN_ON, subaccount=bo).status == 200
    assert [effect["page"] for effect in sandbox.effects("sign_on")] == [None]


@pytest.mark.parametrize(("uses", "statuses"), [(1, [302, 403, 403]), (2, [302, 302, 403])])
def test_a_sign_on_url_works_as_often_as_it_may(ada, visitor, sandbox, bo, uses, statuses):
    sandbox.settings(token_uses=uses)
    url = urlsplit(ada.post(SIGN_ON, subaccount=bo).json["subaccount"]["url"])

    assert [visitor.get(f"{url.path}?{url.query}").status for _ in statuses] == statuses


def test_a_list_of_subaccounts_can_be_a_bare_array(ada, sandbox, bo):
    rows = ada.post(LIST).json["subaccounts"]
    sandbox.settings(list_envelope="bare")

    assert ada.post(LIST).json == rows


@pytest.mark.parametrize(
    ("envelope", "beside"),
    [
        ("documented", {SIGN_ON: False, PUSH: True}),
        ("E-TOP", {SIGN_ON: True, PUSH: True}),
        ("E-VALID", {SIGN_ON: False, PUSH: False}),
    ],
)
def test_errors_stand_inside_or_beside_the_status(ada, sandbox, envelope, beside):
    sandbox.settings(error_envelope=envelope)

    assert {path: "errors" in ada.post(path).json for path in beside} == beside


@pytest.mark.parametrize(("envelope", "beside", "code"), [("E-VALID", False, [1000]), ("E-TOP", True, [1000])])
def test_wrong_credentials_can_come_in_another_envelope(sandbox, visitor, envelope, beside, code):
    sandbox.settings(login_envelope=envelope)

    refused = visitor.post(LIST)

    assert ("errors" in refused.json, refused.codes) == (beside, code)


def test_credentials_can_be_taken_in_the_body_only(ada, sandbox, visitor):
    sandbox.settings(rpc_credentials="body")

    assert ada.post(LIST).codes == 1000
    assert visitor.post(LIST, client_id="north", client_secret="north-secret").status == 200


def test_subaccounts_can_be_listed_page_by_page_with_all_of_them_counted(ada, sandbox, bo):
    other = sandbox.add_subaccount("north", email="di@bakery.test")
    sandbox.settings(subaccount_page_size=1)

    pages = [ada.post(LIST, **page).json for page in ({}, {"page": 2}, {"page": 3})]

    assert [[row["ID"] for row in page["subaccounts"]] for page in pages] == [[bo], [other], []]
    assert {page["amount_of_subaccounts"] for page in pages} == {"2"}


def test_details_can_be_brief(ada, sandbox, bo):
    sandbox.settings(details="brief")

    assert ada.post("/v4/subaccount", subaccount=bo).json["subaccount"].keys() == {"ID", "email", "campaigns"}


def test_what_was_saved_can_be_told_by_its_id_alone(ada, sandbox):
    sandbox.settings(saved_address=False)

    assert ada.post("/v4/subaccount/create", email="di@bakery.test").json["subaccount"].keys() == {"ID"}


def test_a_sign_on_can_tell_another_token_than_its_url_carries(ada, visitor, sandbox, bo):
    sandbox.settings(token_in_url=False)

    told = ada.post(SIGN_ON, subaccount=bo).json["subaccount"]

    url = urlsplit(told["url"])
    assert told["token"] not in url.query
    assert visitor.get(f"{url.path}?{url.query}").status == 302


def test_wrong_credentials_keep_their_envelope(sandbox, visitor):
    sandbox.settings(error_envelope="E-TOP")

    assert visitor.post(LIST).json["status"]["errors"]["error_code"] == 1000


def test_bare_ids_are_bare_everywhere(ada, sandbox, stock):
    sandbox.settings(id_style="bare")

    assert ada.post("/v3/coupon/list").json["coupon_info"][0]["ID"] == stock.campaign.removeprefix("cam_")
    assert ada.post("/v3/directory/list").json["directory"][0]["ID"] == stock.directory.removeprefix("dir_")
    assert ada.post("/v3/couponsession/data", couponsession=stock.session).json["campaign"].isdigit()


@pytest.mark.parametrize(
    "wrong",
    [
        {"page_size": 0},
        {"page_size": "5"},
        {"page_size": True},
        {"world_seed": "x"},
        {"first_page": True},
        {"token_uses": 3},
        {"subaccount_page_size": 0},
    ],
)
def test_a_number_is_one_of_its_own(visitor, sandbox, wrong):
    assert visitor.control("POST", "/_settings", wrong).status == 400
    assert sandbox.settings() == Settings()


def test_errors_of_the_rest_dialect_keep_their_status(ada, sandbox, stock):
    sandbox.settings(real_status=False)

    assert ada.get("/v4/directory/999999").status == 404
    assert ada.post("/v3/directory/info", directory="999999").status == 200
