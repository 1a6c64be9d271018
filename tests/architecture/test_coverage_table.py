"""The page about the vendor's endpoints says what the code says."""

from coupontools_api.coverage import ENDPOINTS
from tests.coverage_table import PAGE, portal_calls, text


def test_the_page_is_what_the_code_says():
    assert PAGE.read_text() == text(), "run: python -m tests.coverage_table"


def test_every_endpoint_is_in_it_once():
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]

    assert [line.split("`")[1] for line in lines] == [endpoint.name for endpoint in ENDPOINTS]


def test_the_portals_own_calls_are_found():
    """Known by reading: a launch signs on, a sign-up creates, the worker looks at the list before it does."""
    found = portal_calls()

    assert found["subaccounts.sign_on"] == ["accounts.panel"]
    assert found["subaccounts.create"] == ["accounts.provisioning"]
    assert "accounts.vendor" in found["subaccounts.list"]
