"""Loyalty cards in both dialects: users, points and stamps, searches."""

from urllib.parse import quote

import pytest

CARDS = "/v4/loyalty/loyalty-cards"
UPDATE = "/v3/loyaltyusers/update"
USERS = "/v3/loyaltyusers/list"


def number(id_: str) -> int:
    return int(id_.rpartition("_")[2])


@pytest.fixture
def cards(ada, stock) -> dict[str, int]:
    """Ada's cards: number by type."""
    return {card["type"]: card["id"] for card in ada.get(CARDS).json}


class TestCards:
    def test_both_dialects_tell_of_the_same(self, ada, stock):
        rows = ada.post("/v3/loyalty/list").json
        bare = ada.get(CARDS).json

        assert rows["amount_of_loyaltycards"] == len(bare)
        assert [number(row["ID"]) for row in rows["loyaltycard"]] == [card["id"] for card in bare]
        assert [card.keys() for card in bare] == [{"id", "code", "name", "domain", "type"}] * 2
        assert {card["type"] for card in bare} == {"membership", "stamp"}
        assert ada.post("/v3/loyalty/info", loyaltycard=stock.card).json["loyaltycard"] == rows["loyaltycard"][0]

    def test_a_list_can_be_turned_round(self, ada, stock):
        rows = ada.post("/v3/loyalty/list").json["loyaltycard"]

        assert ada.post("/v3/loyalty/list", sorting="desc").json["loyaltycard"] == rows[::-1]
        assert ada.post("/v3/loyalty/list", sorting="asc", only_active=True).json["loyaltycard"] == rows

    def test_a_copy_is_a_card_without_users(self, ada, cards):
        copy = ada.send("POST", f"{CARDS}/{cards['stamp']}/copy", b'{"name": "Second"}').json

        assert (copy["name"], copy["type"]) == ("Second", "stamp")
        assert copy["id"] not in cards.values()
        assert ada.get(f"{CARDS}/{copy['id']}/stats").json == []


class TestUsers:
    def test_one_is_made_linked_and_found(self, ada, stock):
        made = ada.post(
            "/v3/loyaltyusers/create", email="zoe@cafe.test", password="long-enough", first_Name="Zoé", gender="female"
        )
        user = made.json["user"]["ID"]
        before = ada.post("/v3/loyaltyusers/search", loyaltycard=stock.card, search="zoe").json["user"]
        linked = ada.post("/v3/loyaltyusers/link", loyaltycard=stock.card, user=user).json["user"]
        again = ada.post("/v3/loyaltyusers/link", loyaltycard=stock.card, user=user).json["user"]
        found = ada.post("/v3/loyaltyusers/search", loyaltycard=stock.card, search="ZOE@").json["user"]

        assert made.json["user"]["first_name"] == "Zoé"
        assert "password" not in made.text
        assert before == []
        assert found == [linked] == [again]
        assert (linked["points"], linked["stamps"], linked["voided"]) == ("0", "0", "0")

    def test_a_user_may_live_in_a_city_of_a_long_name(self, ada):
        """No error is documented for it."""
        made = ada.post("/v3/loyaltyusers/create", email="zoe@cafe.test", password="p", city="x" * 300)

        assert made.json["user"]["city"] == "x" * 300

    @pytest.mark.parametrize("wrong", ["a b c", "abc;", "Zoé"])
    def test_a_search_takes_plain_characters_only(self, ada, stock, wrong):
        assert ada.post("/v3/loyaltyusers/search", loyaltycard=stock.card, search=wrong).codes == [301]

    @pytest.mark.parametrize(("name", "type_"), [("points", "membership"), ("stamps", "stamp")])
    def test_an_amount_is_in_what_the_card_collects(self, ada, cards, name, type_):
        card = cards[type_]
        user = ada.post(USERS, loyaltycard=card).json["user"][0]

        changed = ada.post(UPDATE, loyaltycard=card, user=user["ID"], amount=5).json["user"]

        assert int(changed[name]) == int(user[name]) + 5
        assert ada.post(USERS, loyaltycard=card).json["user"][0] == changed

    def test_a_card_can_be_voided_and_that_taken_back(self, ada, stock):
        who = {"loyaltycard": stock.card, "user": stock.card_user}

        assert ada.post(UPDATE, **who, voided="true").json["user"]["voided"] == "1"
        assert ada.post(UPDATE, **who, voided="false").json["user"]["voided"] == "0"

    def test_an_action_voids_a_card_and_takes_that_back(self, ada, stock, sandbox):
        who = {"loyaltycard": stock.card, "user": stock.card_user}

        told = [ada.post(UPDATE, **who, action=action).json["user"]["voided"] for action in ("void", "unvoid")]

        assert told == ["1", "0"]
        assert [effect["voided"] for effect in sandbox.effects("card_user_updated")] == [True, False]

    def test_an_action_goes_with_an_amount(self, ada, stock):
        who = {"loyaltycard": stock.card, "user": stock.card_user}
        before = ada.post(USERS, loyaltycard=stock.card).json["user"][0]

        changed = ada.post(UPDATE, **who, action="void", points=5).json["user"]

        assert (int(changed["points"]), changed["voided"]) == (int(before["points"]) + 5, "1")

    @pytest.mark.parametrize(("action", "voided"), [("void", "1"), ("unvoid", "0")])
    def test_an_action_counts_before_a_flag_that_says_otherwise(self, ada, stock, action, voided):
        who = {"loyaltycard": stock.card, "user": stock.card_user}

        assert ada.post(UPDATE, **who, action=action, voided=action == "unvoid").json["user"]["voided"] == voided

    @pytest.mark.parametrize(
        ("wrong", "codes"),
        [
            ({"action": "dance"}, [302]),
            ({"action": "dance", "amount": 5}, [302]),
            ({"action": ""}, [200]),
            ({"action": "void", "user": "usr_999999"}, [505]),
            ({"action": "void", "loyaltycard": "x!"}, [301]),
        ],
        ids=str,
    )
    def test_an_action_that_is_refused_changes_nothing(self, ada, stock, sandbox, wrong, codes):
        given = {"loyaltycard": stock.card, "user": stock.card_user, **wrong}

        assert ada.post(UPDATE, **given).codes == codes
        assert sandbox.effects("card_user_updated") == []

    def test_an_update_without_a_change_is_refused(self, ada, stock):
        assert ada.post(UPDATE, loyaltycard=stock.card, user=stock.card_user).codes == [200]

    def test_pushes_are_effects(self, ada, stock, sandbox):
        one = {"loyaltycard": stock.card, "user": stock.card_user, "message": "Hello"}

        ada.post("/v3/loyalty/pushnotification/single", **one)
        ada.post("/v3/loyalty/pushnotification/all", loyaltycard=stock.card, message="Hello all")

        assert sandbox.effects("push")[0]["user"] == stock.card_user
        assert sandbox.effects("push_to_all")[0]["users"] == len(ada.post(USERS, loyaltycard=stock.card).json["user"])


class TestV4:
    def test_numbers_and_flags_are_real(self, ada, stock):
        row = ada.get(f"{CARDS}/{number(stock.card)}/stats?include_voided=true").json[0]

        assert [type(row[name]) for name in ("id", "points", "stamps", "voided")] == [int, int, int, bool]
        assert ada.get(f"{CARDS}/{number(stock.card)}/stats/{row['id']}").json == row

    def test_what_is_voided_shows_when_asked_for(self, ada, stock):
        ada.post(UPDATE, loyaltycard=stock.card, user=stock.card_user, voided=True)
        path = f"{CARDS}/{number(stock.card)}/stats"

        usual = {row["id"] for row in ada.get(path).json}
        everybody = {row["id"] for row in ada.get(f"{path}?include_voided=true").json}

        assert number(stock.card_user) in everybody - usual

    @pytest.mark.parametrize(
        "written", ['pagination={"page":2,"per_page":3}', "pagination[page]=2&pagination[per_page]=3"]
    )
    def test_pages_are_told_in_an_object(self, ada, stock, written):
        path = f"{CARDS}/{number(stock.card)}/stats?"
        rows = ada.get(path).json

        assert ada.get(path + quote(written, safe="=&")).json == rows[3:6]

    def test_a_filter_keeps_what_is_equal(self, ada, stock):
        path = f"{CARDS}/{number(stock.card)}/stats"
        row = ada.get(path).json[0]

        assert ada.get(f"{path}?filter[email]={row['email']}").json == [row]

    def test_users_come_in_bulk_as_a_bare_array_or_named(self, ada, cards):
        path = f"{CARDS}/{cards['stamp']}/stats"
        before = len(ada.get(path).json)

        bare = ada.send("POST", f"{path}/bulk", b'[{"email": "a@cafe.test"}, {"email": "b@cafe.test"}]')
        named = ada.post(f"{path}/bulk", users=[{"email": "c@cafe.test"}])

        assert [row["email"] for row in bare.json + named.json] == ["a@cafe.test", "b@cafe.test", "c@cafe.test"]
        assert len(ada.get(path).json) == before + 3

    def test_a_bulk_with_one_mistake_makes_none(self, ada, cards):
        path = f"{CARDS}/{cards['stamp']}/stats"
        before = ada.get(path).json

        answer = ada.send("POST", f"{path}/bulk", b'[{"email": "a@cafe.test"}, {"email": "nobody"}]')

        assert answer.status == 422
        assert ada.get(path).json == before

    def test_stamps_are_added_and_a_user_is_changed(self, ada, cards):
        path = f"{CARDS}/{cards['stamp']}/stats"
        made = ada.post(path, first_name="Zoé", email="zoe@cafe.test").json

        ada.post(f"{path}/{made['id']}/stamps", stamps=2)
        ada.post(f"{path}/{made['id']}/stamps", amount=1)
        changed = ada.post(f"{path}/{made['id']}", city="Ghent", custom_8="blue").json

        assert changed == {**made, "stamps": 3, "city": "Ghent", "custom_8": "blue"}
        assert ada.get(f"{path}/{made['id']}").json == changed
