"""What is to be done by hand in the vendor's panel says whose the account is only where somebody knows."""

import pytest

from portal.wording_console import task_sentence


@pytest.mark.parametrize(
    ("kind", "account", "data", "sentence"),
    [
        ("delete", "sub_1", {}, "Delete or block sub_1, if"),
        ("delete", "", {"unproven": ["sub_1", "sub_2"]}, "Find out whether sub_1, sub_2 belongs to this customer, and"),
        ("erase", "sub_1", {}, "Delete sub_1 with everything in it"),
        ("erase", "", {"unproven": ["sub_1"]}, "Find out whether sub_1 belonged to this customer, and then delete it"),
        ("erase", "", {"date": "2026-03-01"}, "Look for an account that was made around 1 Mar 2026"),
    ],
)
def test_only_an_account_that_is_theirs_is_simply_deleted(
    kind: str, account: str, data: dict[str, object], sentence: str
):
    assert task_sentence(kind, account, data).startswith(sentence)
