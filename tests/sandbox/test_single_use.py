"""Single-use links: made, opened in a browser, claimed, validated, removed."""

import re
from urllib.parse import urlsplit

import pytest

CREATE = "/v3/singleuse/create"
CREATE_MANY = "/v3/multiplesingleuse/create"
REMOVE = "/v3/singleuse/remove"
UPDATE = "/v3/couponsession/update"


@pytest.fixture
def spring(sandbox, bo) -> str:
    return sandbox.add_campaign(bo, name="Spring <sale>")


@pytest.fixture
def link(bos_keys, spring) -> str:
    """The path of a link that has just been made."""
    return urlsplit(bos_keys.post(CREATE, campaign=spring).json["single_use_url"]).path


def amount(caller, kind, campaign) -> str:
    return caller.post(f"/v3/campaign/{kind}", campaign=campaign).json["amount_of_results"]


class TestOne:
    def test_it_is_answered_with_its_code_and_address(self, bos_keys, spring, sandbox):
        answer = bos_keys.post(CREATE, campaign=spring, customid="K-1", customvalcode="OWN").json

        code = answer["single_use_code"]
        assert re.fullmatch(r"[a-z0-9]{21}", code)
        assert answer["widget_validation_code"] == code[:6]
        assert answer["single_use_url"].startswith(sandbox.url)
        assert answer["single_use_url"].endswith(f"/{code}")
        assert (answer["campaign"], answer["customid"], answer["custom_validation_code"]) == (spring, "K-1", "OWN")

    @pytest.mark.parametrize(("automatic", "length"), [("6digits", 6), ("8digits", 8), ("10digits", 10)])
    def test_own_codes_can_be_automatic(self, bos_keys, spring, automatic, length):
        answer = bos_keys.post(CREATE, campaign=spring, autovalcode=automatic).json

        assert re.fullmatch(rf"[0-9]{{{length}}}", answer["custom_validation_code"])

    def test_an_own_code_is_given_or_automatic_but_not_both(self, bos_keys, spring):
        assert bos_keys.post(CREATE, campaign=spring, autovalcode="6digits", customvalcode="X").codes == [300]

    @pytest.mark.parametrize(
        ("check", "same"), [("email", "eve@cafe.test"), ("phone", "+32470123456"), ("customid", "K-1")]
    )
    def test_the_same_person_gets_the_same_link_once_checked(self, bos_keys, spring, check, same):
        first = bos_keys.post(CREATE, campaign=spring, duplicate_check=check, **{check: same}).json
        again = bos_keys.post(CREATE, campaign=spring, duplicate_check=check, **{check: same}).json
        unchecked = bos_keys.post(CREATE, campaign=spring, **{check: same}).json

        assert again["single_use_code"] == first["single_use_code"]
        assert again["action"] != first["action"]
        assert unchecked["single_use_code"] != first["single_use_code"]

    @pytest.mark.parametrize(("wrong", "code"), [({"duplicate_check": True}, 302), ({"duplicate_check": "email"}, 200)])
    def test_a_check_names_a_field_that_is_given(self, bos_keys, spring, wrong, code):
        assert bos_keys.post(CREATE, campaign=spring, **wrong).codes == [code]


class TestMany:
    def test_ten_are_made_unless_told_otherwise(self, bos_keys, spring):
        answer = bos_keys.post(CREATE_MANY, campaign=spring).json

        assert answer["action"] == " multiple_single_use_codes_created"
        assert [row["sequence_id"] for row in answer["data"]] == list(range(1, 11))
        assert len({row["single_use_code"] for row in answer["data"]}) == 10
        assert all(row["widget_validation_code"] == row["single_use_code"][:6] for row in answer["data"])
        assert {row["custom_validation_code"] for row in answer["data"]} == {""}

    def test_the_largest_amount_is_made_in_one_call(self, bos_keys, spring):
        bos_keys.timeout = 60

        assert len(bos_keys.post(CREATE_MANY, campaign=spring, amount=100_000).json["data"]) == 100_000

    @pytest.mark.parametrize(("status", "opened", "voided"), [("normal", 0, 0), ("activated", 2, 0), ("voided", 0, 2)])
    def test_they_begin_as_told(self, bos_keys, spring, status, opened, voided):
        bos_keys.post(CREATE_MANY, campaign=spring, amount=2, status=status)

        rows = bos_keys.post("/v3/campaign/data", campaign=spring).json["data"]

        assert sum(row["status"]["opened"] == "1" for row in rows) == opened
        assert sum(row["status"]["voided_date_utc"] != "" for row in rows) == voided

    @pytest.mark.parametrize(
        ("wanted", "form"),
        [
            ({}, r"[0-9]{10}"),
            ({"code_prefix": "AB-", "code_length": "12"}, r"AB-[0-9]{12}"),
            ({"code_type": "alphanumeric", "code_length": "25"}, r"[A-Za-z0-9]{25}"),
        ],
    )
    def test_automated_codes_have_their_form(self, bos_keys, spring, wanted, form):
        rows = bos_keys.post(CREATE_MANY, campaign=spring, automated_codes="true", **wanted).json["data"]

        assert all(re.fullmatch(form, row["custom_validation_code"]) for row in rows)

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"amount": "0"}, 300),
            ({"amount": "many"}, 301),
            ({"automated_codes": True, "code_length": "9"}, 300),
            ({"automated_codes": True, "code_length": "26"}, 300),
            ({"automated_codes": True, "code_type": "runes"}, 302),
        ],
    )
    def test_wrong_wishes_make_none(self, bos_keys, spring, wrong, code):
        assert bos_keys.post(CREATE_MANY, campaign=spring, **wrong).codes == [code]
        assert amount(bos_keys, "data", spring) == "0"


class TestInTheBrowser:
    def test_it_is_opened_claimed_and_validated_there(self, bos_keys, visitor, spring, link, sandbox):
        opened = visitor.get(link)
        after_opening = amount(bos_keys, "opens", spring)
        claimed = visitor.send("POST", link, b"action=claim")
        ready = visitor.get(claimed.headers["Location"])
        visitor.send("POST", link, b"action=validate")
        done = visitor.get(link)

        assert 'data-state="opened"' in opened.text
        assert "Spring &lt;sale&gt;" in opened.text
        assert after_opening == "1"
        assert claimed.status == 303
        assert 'data-state="claimed"' in ready.text
        assert 'data-state="validated"' in done.text
        assert "<form" not in done.text
        assert [amount(bos_keys, kind, spring) for kind in ("claims", "validations")] == ["1", "1"]
        assert [event["kind"] for event in sandbox.events()] == ["coupon_claimed", "coupon_validated"]

    def test_a_voided_one_shows_that_and_does_nothing(self, bos_keys, visitor, spring, link):
        bos_keys.post(UPDATE, couponsession=link.rpartition("/")[2], action="void")

        assert visitor.get(link).status == 410
        assert visitor.send("POST", link, b"action=claim").status == 410
        assert amount(bos_keys, "claims", spring) == "0"

    @pytest.mark.parametrize(("expiry_date", "status"), [("2020-12-31 18:00:00", 410), ("2130-12-31 18:00:00", 200)])
    def test_an_expired_one_is_over_and_can_not_be_claimed(self, bos_keys, visitor, spring, expiry_date, status):
        made = bos_keys.post(CREATE, campaign=spring, expiry_date=expiry_date).json
        path = urlsplit(made["single_use_url"]).path
        is_over = status == 410

        page = visitor.get(path)
        posted = visitor.send("POST", path, b"action=claim")
        updated = bos_keys.post(UPDATE, couponsession=made["single_use_code"], action="claim")

        assert (page.status, "is over" in page.text, "<form" in page.text) == (status, is_over, not is_over)
        assert (posted.status, updated.status) == ((410, 422) if is_over else (303, 200))
        assert amount(bos_keys, "opens", spring) == amount(bos_keys, "claims", spring) == ("0" if is_over else "1")

    @pytest.mark.parametrize("body", [b"", b"action=dance"])
    def test_an_unknown_wish_does_nothing(self, bos_keys, visitor, spring, link, body):
        assert visitor.send("POST", link, body).status == 400
        assert amount(bos_keys, "claims", spring) == "0"

    def test_unknown_and_short_codes_open_nothing(self, visitor, link):
        start, _, code = link.rpartition("/")

        for path in (f"{start}/nobody", f"{start}/{code[:6]}", f"/p/nobody/{code}", "/p/"):
            assert visitor.get(path).status == 404

    def test_looking_without_getting_opens_nothing(self, bos_keys, visitor, spring, link):
        assert visitor.send("HEAD", link).status == 405
        assert amount(bos_keys, "opens", spring) == "0"

    def test_the_campaigns_own_page_gives_everybody_a_session(self, bos_keys, visitor, spring, link):
        campaign = link.rpartition("/")[0]

        page = visitor.get(campaign)
        taken = [visitor.send("POST", campaign, b"").headers["Location"] for _ in range(2)]

        assert f'data-campaign="{spring}"' in page.text
        assert len({*taken, link}) == 3
        assert visitor.get(taken[0]).status == 200

    def test_pages_load_and_run_nothing_from_elsewhere(self, visitor, link):
        page = visitor.get(link)

        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert "script" not in page.text


class TestRemoving:
    @pytest.mark.parametrize("name", ["single_use_code", "couponsession"])
    def test_a_removed_link_opens_nothing_and_counts_no_more(self, bos_keys, visitor, spring, link, name):
        answer = bos_keys.post(REMOVE, campaign=spring, **{name: link.rpartition("/")[2]})

        assert answer.status == 200
        assert visitor.get(link).status == 404
        assert amount(bos_keys, "data", spring) == "0"
        assert bos_keys.post(REMOVE, campaign=spring, **{name: link.rpartition("/")[2]}).codes == [505]

    def test_another_campaigns_link_stays(self, bos_keys, visitor, sandbox, bo, link):
        other = sandbox.add_campaign(bo, name="Summer")

        assert bos_keys.post(REMOVE, campaign=other, single_use_code=link.rpartition("/")[2]).codes == [505]
        assert visitor.get(link).status == 200
