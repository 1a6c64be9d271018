"""Coupons by e-mail and SMS, and the groups that messages go to."""

from urllib.parse import urlsplit

import pytest

EMAIL, SMS = "/v3/send/email", "/v3/send/sms"


def test_an_email_carries_a_session_of_its_own(ada, stock, sandbox):
    answer = ada.post(EMAIL, campaign=stock.campaign, email="zoe@cafe.test", firstname="Zoé")

    (effect,) = sandbox.effects("email_sent")
    session = ada.post("/v3/couponsession/data", couponsession=effect["session"]).json
    assert answer.json == {"status": {"status": "OK"}, "action": "email_sent"}
    assert session["data"]["customer"]["email"] == "zoe@cafe.test"
    assert session["data"]["customer"]["firstname"] == "Zoé"


def test_an_email_may_be_for_somebody_of_a_long_name(ada, stock, sandbox):
    """No error is documented for it."""
    names = {"firstname": "x" * 300, "lastname": "y" * 300}

    assert ada.post(EMAIL, campaign=stock.campaign, email="zoe@cafe.test", **names).status == 200


def test_an_email_can_carry_a_session_that_is_there(ada, stock, sandbox):
    ada.post(EMAIL, campaign=stock.campaign, email="zoe@cafe.test", couponsession=stock.session)

    assert sandbox.effects("email_sent")[0]["session"] == stock.session


def test_an_address_gets_one_when_that_is_checked(ada, stock, sandbox):
    checked = {"campaign": stock.campaign, "email": "zoe@cafe.test", "check_unique": "true"}

    assert ada.post(EMAIL, **checked).status == 200
    assert ada.post(EMAIL, **checked).codes == [604]
    assert ada.post(EMAIL, **{**checked, "email": "other@cafe.test"}).status == 200
    assert len(sandbox.effects("email_sent")) == 2


def test_a_directory_that_is_not_there_has_the_code_of_a_campaign(ada, stock):
    assert ada.post(EMAIL, campaign="dir_999999", email="zoe@cafe.test").codes == [502]


def test_an_sms_is_answered_with_its_link(ada, visitor, stock):
    answer = ada.post(SMS, campaign=stock.campaign, phone="+32470123456", message="For you", sender="North").json

    assert (answer["campaign"], answer["phone"], answer["message"]) == (stock.campaign, "+32470123456", "For you")
    assert answer["single_use_url"].endswith(answer["single_use_code"])
    assert visitor.get(urlsplit(answer["single_use_url"]).path).status == 200


@pytest.mark.parametrize("wrong", ["0470123456", "+0470123456", "+32 470 12", "call me"])
def test_a_phone_number_is_in_e_164(ada, stock, wrong):
    assert ada.post(SMS, campaign=stock.campaign, phone=wrong).codes == [301]


def test_groups_are_counted_in_a_number(ada, stock):
    before = ada.post("/v3/smstool/grouplist").json

    made = ada.post("/v3/smstool/addgroup", group_name="Regulars").json["group"]
    after = ada.post("/v3/smstool/grouplist").json

    assert after["amount_of_groups"] == before["amount_of_groups"] + 1
    assert after["group"] == [*before["group"], made]
    assert made["ID"].startswith("gro_")
    assert ada.post("/v3/emailtool/grouplist").json["amount_of_groups"] == 1


def test_a_contact_is_in_its_group_alone(ada, stock):
    group = ada.post("/v3/smstool/addgroup", group_name="Regulars").json["group"]["ID"]
    before = ada.post("/v3/smstool/userlist", smsgroup=stock.group).json

    made = ada.post("/v3/smstool/addcontact", smsgroup=group, phone="+32470123456", birthday="1990-01-31")
    listed = ada.post("/v3/smstool/userlist", smsgroup=group).json

    assert (listed["group_id"], listed["user"]) == (group, [made.json["contact"]])
    assert ada.post("/v3/smstool/userlist", smsgroup=stock.group).json == before


@pytest.mark.parametrize(("left", "refused"), [(["email"], [103]), (["sms"], [104])])
def test_each_integration_is_needed_for_its_own(ada, sandbox, stock, left, refused):
    sandbox.add_account("north", "north-secret", integrations=left)
    paths = {103: ["/v3/smstool/grouplist", SMS], 104: ["/v3/emailtool/grouplist", EMAIL]}

    for code, ours in paths.items():
        answers = [ada.post(path, campaign=stock.campaign, email="a@b.test", phone="+32470123456") for path in ours]
        if code in refused:
            assert [answer.codes for answer in answers] == [[code]] * 2
        else:
            assert [answer.status for answer in answers] == [200, 200]
