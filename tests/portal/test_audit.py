"""What is written down: who, on whose behalf, what, how it ended and in which request; and never whose address."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import mail
from django.test import Client
from django.utils import timezone
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from accounts import (
    attention,
    customer_care,
    demo_data,
    jobs,
    members,
    people,
    provisioning,
    refreshes,
    staff,
    views_as,
)
from accounts.mails import put_mail
from accounts.models import Agency, Cause, Customer, Event, Job, Note, State, Subaccount, User, VendorAccount
from coupontools_api.sandbox import Sandbox
from tests import factories

pytestmark = pytest.mark.django_db
Browse = Callable[..., Client]


def events(agency: Agency | None, *kinds: str) -> list[Event]:
    rows = Event.objects.across_agencies().filter(agency=agency)
    return list((rows.filter(kind__in=kinds) if kinds else rows).order_by("pk"))


def kinds(agency: Agency | None) -> list[str]:
    return [event.kind for event in events(agency)]


def code_for(address: str) -> str:
    while jobs.run():
        pass
    body = next(message.body for message in reversed(mail.outbox) if message.to == [address])
    found = re.search(r"^\s*([A-Z]{4}-[A-Z]{4})\s*$", body, re.M)
    assert found, body
    return found.group(1)


def test_page_log_line_and_event_name_the_same_request(
    sandbox: Sandbox, north: Agency, active: Subaccount, bo_client: Client
):
    sandbox.fault("/v3/subaccount/sso", "status", status=500)

    with capture_logs(processors=[merge_contextvars]) as logs:
        page = bo_client.post(f"/c/{active.customer.public_id}/launch/", {"page": "campaigns"})

    [event] = events(north, "launch")
    assert (page.status_code, event.outcome) == (502, "suspicious")
    assert [line["request"] for line in logs if line["event"] == "panel.reply_refused"] == [event.request]
    assert re.fullmatch("[0-9A-F]{8}", event.request)
    assert event.request in page.content.decode()
    assert (event.object_type, event.object_id) == ("subaccount", str(active.pk))


def test_two_requests_have_two_names_and_none_is_left_behind(bo_client: Client, north: Agency):
    for name in ("Bo", "Bob"):
        bo_client.post("/account/profile/", {"first_name": name, "last_name": "Bakker", "language": "en"})

    first, second = (event.request for event in events(north, "person.profile_changed"))
    assert first != second
    assert Event.objects.record("something", agency=north).request == ""


def test_a_log_line_of_the_worker_and_its_events_name_the_same_claim(
    sandbox: Sandbox, bos_subaccount: Subaccount, north: Agency, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(jobs, "_send", lambda job: 1 / 0)

    with capture_logs(processors=[merge_contextvars]) as logs:
        while provisioning.attempt():
            pass
    made = events(north, "subaccount.creating", "subaccount.active")

    assert all(event.actor_id is None for event in made)
    [claim] = {event.request for event in made}
    assert claim
    assert next(line for line in logs if line["event"] == "job.failed")["claim"] == claim


def test_a_choice_of_staff_names_them_on_every_event_that_follows(bos_subaccount: Subaccount, ada: User):
    Subaccount.objects.for_agency(bos_subaccount.agency).filter(pk=bos_subaccount.pk).update(
        state=State.NEEDS_REVIEW, cause=Cause.REFUSED
    )
    bos_subaccount.refresh_from_db()

    attention.retry(bos_subaccount, acting_user=ada)

    asked, moved = events(bos_subaccount.agency)[-2:]
    assert (asked.kind, moved.kind) == ("attention.retry", "subaccount.requested")
    assert asked.actor_id == moved.actor_id == ada.pk


def test_an_operator_who_looks_as_somebody_says_as_whom(north: Agency, ada: User):
    olu = factories.operator()

    views_as.end(views_as.open_view(north, token=views_as.ask(north, person=ada, reason="Why", acting_user=olu)))

    looked = events(north, "view_as.asked", "view_as.opened", "view_as.ended")
    assert [(event.actor_id, event.on_behalf_of) for event in looked] == [(olu.pk, ada.pk)] * 3


# -- people and their sign-in --------------------------------------------------------------------------------------


def test_signing_in_and_out_is_written_down(client_for: Browse, north: Agency, bo: User, bos_company: Customer):
    client = client_for(north)
    client.post("/account/login/", {"login": bo.email, "password": factories.PASSWORD})
    client.post("/account/logout/")

    assert kinds(north)[-2:] == ["person.signed_in", "person.signed_out"]
    assert {(event.actor_id, event.object_id) for event in events(north)[-2:]} == {(bo.pk, str(bo.pk))}


def test_a_failed_sign_in_says_neither_whose_address_nor_whether_there_is_one(
    client_for: Browse, north: Agency, bo: User
):
    for address in (bo.email, "nobody@nowhere.example"):
        client_for(north).post("/account/login/", {"login": address, "password": "not the password"})

    known, unknown = events(north, "person.sign_in_failed")
    for event in (known, unknown):
        assert (event.actor_id, event.outcome, event.data) == (None, "refused", {})
        assert (event.object_type, event.object_id) == ("agency", str(north.pk))


def test_a_password_that_is_proven_again_and_wrong_names_who_is_signed_in(bo_client: Client, north: Agency, bo: User):
    bo_client.post("/account/reauthenticate/", {"password": "not the password"})

    [event] = events(north, "person.sign_in_failed")
    assert (event.actor_id, event.outcome) == (bo.pk, "refused")


def test_a_changed_password_is_written_down(bo_client: Client, north: Agency):
    new = "window bicycle oven"
    bo_client.post("/account/password/change/", {"oldpassword": factories.PASSWORD, "password1": new, "password2": new})

    assert "person.password_changed" in kinds(north)


def test_a_forgotten_password_is_written_down(client_for: Browse, north: Agency, bo: User):
    client, new = client_for(north), "window bicycle oven"
    client.post("/account/password/reset/", {"email": bo.email})
    client.post("/account/password/reset/confirm/", {"code": code_for(bo.email)})
    client.post("/account/password/reset/complete/", {"password1": new, "password2": new})

    assert "person.password_reset" in kinds(north)


def test_a_changed_address_is_written_down_without_it(bo_client: Client, north: Agency, bo: User):
    bo_client.post("/account/reauthenticate/", {"password": factories.PASSWORD})
    bo_client.post("/account/email/", {"action_add": "", "email": "bo@new.example"})
    bo_client.post("/account/confirm-email/", {"code": code_for("bo@new.example")})

    bo.refresh_from_db()
    assert bo.email == "bo@new.example"
    assert {"person.address_proven", "person.address_changed"} <= set(kinds(north))


def test_recovery_codes_and_a_removed_second_step_are_written_down(client_for: Browse, north: Agency, bo: User):
    factories.second_factor(bo)
    client = client_for(north, bo)
    client.post("/account/reauthenticate/", {"password": factories.PASSWORD})
    # Recovery codes are made anew with each set-up; their event comes with the commit.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("django.db.transaction.on_commit", lambda work, **_: work())
        client.post("/account/2fa/recovery-codes/generate/")
    client.get("/account/2fa/recovery-codes/")
    client.post("/account/2fa/totp/deactivate/")

    assert not Authenticator.objects.filter(user=bo, type="totp").exists()
    assert {"person.recovery_codes_made", "person.second_step_removed"} <= set(kinds(north))


def test_a_wrong_code_at_the_second_step_is_written_down(client_for: Browse, north: Agency, ada: User):
    client = client_for(north)
    client.post("/account/login/", {"login": ada.email, "password": factories.PASSWORD})
    client.post("/account/2fa/authenticate/", {"code": "000000"})

    [event] = events(north, "person.second_step_failed")
    assert (event.actor_id, event.outcome, event.data) == (ada.pk, "refused", {"type": "totp"})


def test_a_passkey_with_another_name_is_written_down_without_it(north: Agency, bo: User):
    passkey = Authenticator.objects.create(user=bo, type="webauthn", data={"name": "Key"})
    passkey.data = {"name": "Bo's own key"}
    passkey.save()
    passkey.record_usage()

    assert [event.object_id for event in events(north, "person.second_step_renamed")] == [str(passkey.pk)]


def test_ended_sessions_are_written_down(client_for: Browse, north: Agency, bo: User):
    here, there = client_for(north), client_for(north)
    for client in (there, here):
        client.post("/account/login/", {"login": bo.email, "password": factories.PASSWORD})

    here.post("/account/sessions/")

    assert there.get("/account/profile/").status_code == 302
    assert len(events(north, "person.session_ended")) == 1


# -- the worker ----------------------------------------------------------------------------------------------------


def test_a_mail_that_was_sent_and_one_that_was_given_up_are_written_down(
    north: Agency, monkeypatch: pytest.MonkeyPatch
):
    sent = put_mail("second_factor_reset", agency=north, to="bo@shop.example", by="Ada")
    jobs.run(sent.pk)
    lost = put_mail("second_factor_reset", agency=north, to="bo@shop.example", by="Ada")
    Job.objects.for_agency(north).filter(pk=lost.pk).update(
        created_at=timezone.now() - jobs.MAILS_GIVE_UP_AFTER * 2, attempts=jobs.MAILS_GIVE_UP_TRIES
    )
    monkeypatch.setattr(jobs, "_send", lambda job: 1 / 0)
    jobs.run(lost.pk)

    assert [(event.outcome, event.object_id) for event in events(north, "mail.sent")] == [
        ("done", str(sent.pk)),
        ("failed", str(lost.pk)),
    ]
    lost.refresh_from_db()
    assert lost.payload == {"mail": "second_factor_reset"}, "whom it was for is nobody's business any more"


def test_a_vendor_that_asks_to_slow_down_is_written_down_once(sandbox: Sandbox, bos_subaccount: Subaccount):
    sandbox.fault("/v4/subaccount/list", "throttle", retry_after=60, times=None)

    for _ in range(3):
        Subaccount.objects.for_agency(bos_subaccount.agency).update(run_at=timezone.now())
        provisioning.attempt()

    assert [event.data for event in events(bos_subaccount.agency, "vendor_account.throttled")] == [{"seconds": 60}]


def read_again(subaccount: Subaccount) -> None:
    before = subaccount.refreshed_at
    Job.objects.for_agency(subaccount.agency).delete()  # one reading a minute
    refreshes.put(subaccount)
    while jobs.run():
        pass
    subaccount.refresh_from_db()
    assert subaccount.refreshed_at != before


def test_coupons_that_changed_are_written_down_and_others_are_not(sandbox: Sandbox, active: Subaccount):
    assert len(events(active.agency, "campaigns.changed")) == 1

    read_again(active)
    assert len(events(active.agency, "campaigns.changed")) == 1

    active.campaigns.update(name="Winter")
    read_again(active)
    assert len(events(active.agency, "campaigns.changed")) == 2


def test_keys_that_are_kept_from_now_on_are_written_down(sandbox: Sandbox, active: Subaccount):
    VendorAccount.objects.filter(agency=active.agency).update(reads_statistics=True)

    read_again(active)

    assert active.sealed_keys
    assert events(active.agency, "campaigns.changed")[-1].data["has_keys"] is True


# -- ids only ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [{"to": "bo@shop.example"}, {"who": "Bo Bakker"}, {"said": ["it was Bo's"]}, {"by": {"name": "Zoë"}}],
)
def test_an_event_refuses_texts(north: Agency, data: dict[str, Any]):
    with pytest.raises(ValueError, match="ids, states and codes"):
        Event.objects.record("something", agency=north, **data)


def test_no_event_of_a_rich_world_holds_a_name_an_address_or_a_secret(
    sandbox: Sandbox, north: Agency, ada: User, bo: User, active: Subaccount, bo_client: Client
):
    demo_data.seed()
    company = active.customer
    customer_care.pause(company, message="Canary-message", acting_user=ada)
    customer_care.resume(company, acting_user=ada)
    customer_care.add_note(company, text="Canary-note", acting_user=ada)
    ed = factories.member(company, "editor", "ed@shop.example", first_name="Edward", last_name="Editorsson")
    membership = company.memberships.get(person=ed)
    members.change_role(membership, role="viewer", acting_user=bo)
    people.invite_member(customer=company, email="eve@shop.example", role="viewer", acting_user=bo)
    ben = factories.staff(north, "ben@north.example", "admin", first_name="Benjamin", last_name="Bensson")
    staff.reset_second_factor(ben, reason="Canary-reason", acting_user=ada)
    bo_client.post(f"/c/{company.public_id}/launch/", {"page": "campaigns"})
    bo_client.post(f"/c/{company.public_id}/password-link/")
    customer_care.close(company, message="Canary-message", acting_user=ada)
    while provisioning.attempt() or jobs.run():
        pass

    written = json.dumps(list(Event.objects.across_agencies().values()), default=str)

    canaries = {"Canary-message", "Canary-note", "Canary-reason", "eve@shop.example", "token="}
    for person in User.objects.all():
        canaries |= {person.email, person.get_full_name()}
    for customer in Customer.objects.across_agencies():
        canaries |= {customer.company_name, customer.email}
    canaries |= set(Note.objects.across_agencies().values_list("text", flat=True))
    assert len(canaries) > 40
    assert [canary for canary in canaries - {""} if canary in written] == []
