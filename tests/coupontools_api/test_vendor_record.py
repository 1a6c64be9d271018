"""What `./run vendor-check --record` leaves of an answer."""

import json

import pytest

from coupontools_api.vendor_record import Redaction


def test_keys_that_are_a_name_an_id_or_a_token_are_replaced():
    token = "Nu5oAs7QDdCPLN7mkFUAQzPp66JJ8wwDCUd312"
    answer = {"campaigns": {"sunbeam_dental": {token: "1"}, "Peeters": {}, "cam_1234": {}, "sunbeam_2": {token: ""}}}

    left = Redaction().of(answer)

    assert list(left) == ["campaigns"]
    assert list(left["campaigns"]) == ["key-1", "key-3", "key-4", "key-5"]
    first, *_, last = left["campaigns"].values()
    assert list(first) == list(last) == ["key-2"]


def test_keys_that_the_documents_name_are_kept():
    answer = {
        "status": {"status": "OK"},
        "subaccount": {"ID": "", "url_whitelabel": None, "campaigns": [], "token": ""},
    }

    assert Redaction().of(answer) == answer


def test_names_of_parameters_in_a_url_are_replaced_unless_they_are_known():
    left = Redaction().of({"url": "https://panel.test/index.php?action=login&sunbeam=1&token=abc"})

    assert "sunbeam" not in left["url"]
    assert "action=login&key-" in left["url"]


@pytest.mark.parametrize("key", ["error_message", "error_message_description"])
@pytest.mark.parametrize(
    ("said", "left"),
    [
        (
            "Subaccount of Sunbeam Dental (owner Kim Peeters) has secret AbCdEfGhIjKlMnOpQrSt",
            "Subaccount … … … … … … has secret …",
        ),
        ("Email kim@sunbeam.test already exists", "Email … already exists"),
        ("Invalid character in parameter: subaccount.", "Invalid character in parameter: subaccount."),
        ("Invalid character in parameter: sub_1234.", "Invalid character in parameter: …"),
        ("Missing parameter: campaign", "Missing parameter: campaign"),
        ("HTTP/1.0 422 Unprocessable entity.", "HTTP/1.0 422 Unprocessable entity."),
        ("HTTP/1.0 422 Kim Peeters.", "HTTP/1.0 422 … …"),
    ],
)
def test_of_a_sentence_only_the_words_of_the_documents_are_kept(key: str, said: str, left: str):
    assert Redaction().of({key: [said]}) == {key: [left]}


def test_nothing_of_anybody_is_left_in_a_refusal():
    sentence = "Subaccount of Sunbeam Dental (owner Kim Peeters) has secret AbCdEfGhIjKlMnOpQrSt"
    errors = {"error_message": sentence, "error_message_description": [sentence], "sunbeam": {"Kim Peeters": sentence}}

    left = json.dumps(Redaction().of({"status": {"status": "failed", "errors": errors}}))

    assert [word for word in ("unbeam", "Dental", "Kim", "Peeters", "AbCd") if word in left] == []
