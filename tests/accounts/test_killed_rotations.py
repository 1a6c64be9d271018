"""A change of the sealing keys killed with SIGKILL, again and again: every secret stays readable, and it ends."""

import os
import random
import signal
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.db import connection, connections
from django.db.backends.base.base import BaseDatabaseWrapper

from accounts import sealing
from accounts.crypto import CannotOpen, seal, unseal
from accounts.models import Agency, Credential, Job, Subaccount
from tests import factories
from tests.figures import RecordFigure

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove]
KILLS, ROWS, BATCH = 200, 60, 4


def killed_in_a_child(work: Callable[[], object], kind: str, at: int) -> bool:
    """Forks; the child kills itself before or after its n-th commit, or in a batch at its n-th value.

    Returns whether it came that far.
    """
    connections.close_all()
    if connection.vendor == "postgresql":
        connection.close_pool()
    child = os.fork()
    if child == 0:
        seen = 0

        def count() -> None:
            nonlocal seen
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

        commit, reseal = BaseDatabaseWrapper.commit, sealing.reseal

        def deadly_commit(self: BaseDatabaseWrapper) -> None:
            if kind == "before a commit":
                count()
            commit(self)
            if kind == "after a commit":
                count()

        def deadly_reseal(sealed: str) -> str:
            anew = reseal(sealed)
            if anew != sealed and connection.in_atomic_block:
                count()
            return anew

        BaseDatabaseWrapper.commit = deadly_commit
        if kind == "in a batch":
            sealing.reseal = deadly_reseal
        try:
            work()
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL


def rotate_everything() -> None:
    for place in sealing.places():
        sealing.rotate(place, batch=BATCH)


def readable() -> dict[str, str]:
    """Every secret that is kept, opened: what, and what is in it."""
    found = {}
    for credential in Credential.objects.all():
        found[f"client id {credential.pk}"] = credential.client_id
        found[f"client secret {credential.pk}"] = credential.client_secret
    for job in Job.objects.across_agencies():
        found[f"mail {job.pk}"] = unseal(job.sealed_secret)
    for subaccount in Subaccount.objects.across_agencies():
        found[f"keys {subaccount.pk}"] = unseal(subaccount.sealed_keys)
    for second_factor in Authenticator.objects.all():
        found[f"seed {second_factor.pk}"] = unseal(second_factor.data["secret"])
    return found


def fill(north: Agency) -> None:
    Job.objects.bulk_create(Job(kind=Job.Kind.MAIL, agency=north, sealed_secret=seal(f"code {n}")) for n in range(ROWS))
    for n in range(ROWS // 6):
        person = factories.second_factor(factories.person(north))
        wish = factories.customer(north, person).subaccount
        Subaccount.objects.for_agency(north).filter(pk=wish.pk).update(sealed_keys=seal(f"key-{n}:secret-{n}"))


def test_a_rotation_killed_again_and_again_loses_no_secret(
    north: Agency, south: Agency, settings: Any, record_figure: RecordFigure
):
    fill(north)
    secrets, chance = readable(), random.Random(20_251)
    kills = {"before a commit": 0, "after a commit": 0, "in a batch": 0}
    changes = unreadable = 0

    while sum(kills.values()) < KILLS:
        if sealing_is_complete():
            settings.SEALING_KEYS = [Fernet.generate_key().decode(), settings.SEALING_KEYS[0]]
            changes += 1
        kind = chance.choice(list(kills))
        if killed_in_a_child(rotate_everything, kind, at=chance.randint(1, 3 * BATCH)):
            kills[kind] += 1
        try:
            assert readable() == secrets
        except CannotOpen:
            unreadable += 1
    rotate_everything()

    assert unreadable == 0
    assert min(kills.values()) > 20
    settings.SEALING_KEYS = settings.SEALING_KEYS[:1]
    assert readable() == secrets
    record_figure(
        f"Sealing keys changed under SIGKILL ({connection.vendor})",
        f"{sum(kills.values())} kills ({', '.join(f'{n} {kind}' for kind, n in kills.items())}),"
        f" {changes} keys, {len(secrets)} secrets, {unreadable} unreadable, complete at the end",
    )


def sealing_is_complete() -> bool:
    return not any(sealing.standing(place).old for place in sealing.places())
