"""What two people decide about one wish: the second has read something else than what is so by now."""

import contextlib
import threading
import time
from typing import Any

import pytest
from django.db import connections, transaction

from accounts import attention, people, provisioning, vendor
from accounts.attention import Choice
from accounts.errors import NotAllowed
from accounts.models import Agency, Cause, Invitation, State, Subaccount, User
from coupontools_api.sandbox import Sandbox
from tests.accounts.reading import CREATE, Work, fresh, made

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def refused(bos_subaccount: Subaccount) -> Subaccount:
    """As the second person has read it."""
    row = Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk)
    row.update(state=State.NEEDS_REVIEW, cause=Cause.REFUSED, run_at=None, first_look="absent")
    return fresh(bos_subaccount)


def try_again(sandbox: Sandbox, wish: Subaccount, ada: User) -> None:
    """The first one clicks: a create is answered with somebody else's id, and has made an account all the same."""
    theirs = sandbox.add_subaccount("north-id", email="other@shop.example")
    attention.retry(fresh(wish), acting_user=ada)
    sandbox.fault(CREATE, "wrong_id", id=theirs, times=1)
    provisioning.attempt(wish.pk)
    now = fresh(wish)
    assert (now.state, now.cause, now.had_unknown_outcome) == (State.NEEDS_REVIEW, Cause.CONTRADICTION, True)


@pytest.fixture
def second(sandbox: Sandbox, refused: Subaccount, ada: User) -> Subaccount:
    try_again(sandbox, refused, ada)
    return refused


def test_a_second_click_on_try_again_asks_for_no_second_account(
    sandbox: Sandbox, second: Subaccount, ada: User, monkeypatch: pytest.MonkeyPatch
):
    sandbox.settings(email_unique="none")
    look = vendor.look  # the list is behind: it does not show the first account yet
    monkeypatch.setattr(vendor, "look", lambda account: tuple(r for r in look(account) if r.email != second.email))

    with pytest.raises(NotAllowed):
        attention.retry(second, acting_user=ada)
    provisioning.attempt(second.pk)

    assert made(sandbox) == 1


def test_another_address_is_asked_for_only_while_absence_is_proven(second: Subaccount, ada: User):
    assert Choice.CHANGE_ADDRESS not in {option.choice for option in attention.options(fresh(second))}

    with pytest.raises(NotAllowed):
        attention.change_address(second, email="new@shop.example", acting_user=ada)


def test_a_changed_address_makes_no_second_account(sandbox: Sandbox, second: Subaccount, ada: User, work: Work):
    """Addresses are unique at this vendor, and effects prompt: nothing but the door stands in between."""
    with contextlib.suppress(NotAllowed):
        attention.change_address(second, email="new@shop.example", acting_user=ada)
        invitation = Invitation.objects.for_agency(second.agency).get(email="new@shop.example")
        people.accept_invitation(invitation, password="oven window bicycle")
    work(second)

    assert made(sandbox) == 1


def test_whoever_sets_aside_has_read_what_is_set_aside(second: Subaccount, ada: User):
    with pytest.raises(NotAllowed):
        attention.dismiss(second, acting_user=ada)

    assert fresh(second).dismissed_at is None


def test_a_click_on_an_old_page_sets_nothing_aside_that_it_does_not_show(
    sandbox: Sandbox, north: Agency, refused: Subaccount, ada: User, client_for: Any
):
    client = client_for(north, ada)
    page = client.get("/console/attention/").content.decode()
    assert '<input type="hidden" name="seen" value="refused">' in page
    try_again(sandbox, refused, ada)

    click = {"do": "dismiss", "seen": "refused"}
    answer = client.post(f"/console/customers/{refused.customer.public_id}/choose/", click, follow=True)

    assert "has moved on meanwhile. Nothing was changed." in answer.content.decode()
    assert fresh(refused).dismissed_at is None


def test_a_page_that_waits_for_a_lock_judges_what_is_there_after_it(
    sandbox: Sandbox, north: Agency, refused: Subaccount, ada: User, client_for: Any
):
    """On SQLite it waits for whoever writes, on PostgreSQL for the agency's row where that has a limit of customers."""
    Agency.objects.filter(pk=north.pk).update(customer_limit=50)
    client = client_for(north, ada)
    path = f"/console/customers/{refused.customer.public_id}/address/"
    assert client.get(path).status_code == 200

    def post() -> None:
        client.post(path, {"email": "new@shop.example"})
        connections.close_all()

    page = threading.Thread(target=post)
    with transaction.atomic():
        Agency.objects.select_for_update(no_key=True).get(pk=north.pk)
        page.start()
        time.sleep(1)
        try_again(sandbox, refused, ada)
    page.join()

    now = fresh(refused)
    assert (now.state, now.cause, now.email) == (State.NEEDS_REVIEW, Cause.CONTRADICTION, "bo@shop.example")
    assert made(sandbox) == 1


def test_an_address_that_staff_mistyped_can_be_put_right(bos_subaccount: Subaccount, ada: User):
    row = Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk)
    row.update(state=State.NEEDS_REVIEW, cause=Cause.EMAIL_INVALID, run_at=None, first_look="absent")
    attention.change_address(fresh(bos_subaccount), email="bo@shopp.example", acting_user=ada)
    mistyped = fresh(bos_subaccount)
    assert mistyped.state == State.AWAITING_EMAIL

    attention.change_address(mistyped, email="bo@shop.example", acting_user=ada)

    open_ones = people.open_invitations(bos_subaccount.agency).filter(customer=bos_subaccount.customer)
    assert fresh(bos_subaccount).email == "bo@shop.example"
    assert "bo@shopp.example" not in set(open_ones.values_list("email", flat=True))
