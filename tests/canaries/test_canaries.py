"""Secrets stay where they belong: canaries planted through real pages are in nothing else that a portal leaves."""

import os
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.canaries import forms
from tests.canaries.installation import Installation, embedded, in_production
from tests.canaries.walk import Walk, made_up
from tests.figures import RecordFigure

KINDS = 25
FAULTS_OF_VIEWS = 3  # with an invitation, the token of a view, and a sign-on in their hands


@pytest.mark.parametrize(
    "start",
    [
        # Its database is its own: once is enough, in the run on SQLite.
        pytest.param(embedded, id="embedded", marks=pytest.mark.skipif("DATABASE_URL" in os.environ, reason="its own")),
        pytest.param(in_production, id="production", marks=pytest.mark.production),
    ],
)
def test_no_secret_is_anywhere_but_in_its_place(
    start: Callable[..., AbstractContextManager[Installation]], tmp_path: Path, record_figure: RecordFigure
):
    keys = {"SECRET_KEY": secrets.token_urlsafe(48), "SECRET_KEY_FALLBACKS": secrets.token_urlsafe(48)}
    sealing = [Fernet.generate_key().decode() for _ in range(2)]
    passwords = {name: made_up(name) for name in ("mail", "database", "cache", "broker")}
    with start(tmp_path, keys | {"SEALING_KEYS": ",".join(sealing)}, passwords) as installation:
        walk = Walk(installation)
        walk.all_of_it()
        used = passwords if start is in_production else {"mail": passwords["mail"]}
        walk.keys_and_passwords(
            {
                **keys,
                "sealing key, first": sealing[0],
                "sealing key, second": sealing[1],
                **{f"password of the {name} server": password for name, password in used.items()},
            }
        )
        searched, legitimate = walk.searched_places(), walk.legitimate_places()

    everywhere = searched | legitimate
    for canary in walk.canaries:
        assert canary.secret.encode() in everywhere[canary.seen], f"{canary.kind} is not even in {canary.seen}"
    assert_all_of_it_happened(searched, is_production=start is in_production)
    found = [hit for canary in walk.canaries for hit in forms.hits(canary, searched)]
    assert found == [], "\n".join(found)
    kinds = {canary.kind for canary in walk.canaries}
    assert len(kinds) >= KINDS
    record_figure(
        f"Canaries ({'PostgreSQL, Redis, Celery' if start is in_production else 'SQLite, embedded'})",
        f"{len(kinds)} kinds, {len(walk.canaries)} secrets, {len(searched)} places"
        f" ({len(walk.visits.pages)} pages, {len(walk.mails())} mails,"
        f" {sum(map(len, searched.values())) / 1e6:.1f} MB), {len(found)} hits",
    )


def assert_all_of_it_happened(searched: dict[str, bytes], *, is_production: bool) -> None:
    """A search in empty places would find nothing: each must hold what it is searched for."""
    web, worker = searched["log of web"], searched["log of worker"]
    assert web.count(b"Traceback (most recent call last)") >= FAULTS_OF_VIEWS
    assert web.count(b"Internal Server Error") >= FAULTS_OF_VIEWS
    assert b"Forbidden" in web, "a form without its token"
    assert b"panel.reply_refused" in web
    assert b"job.failed" in worker, "the mail that was refused"
    assert sum(name.endswith(" 500") for name in searched) == FAULTS_OF_VIEWS
    assert any("/customers/export/" in name and name.endswith(" 200") for name in searched)
    assert b"gAAAAA" in searched["database"], "sealed values"
    assert len([name for name in searched if name.startswith("command line of")]) >= 2
    if is_production:
        assert b'"level": "debug"' in worker
        assert b"accounts.tasks.run_job" in searched["broker"]
        assert b"limit:launch" in searched["cache"]
