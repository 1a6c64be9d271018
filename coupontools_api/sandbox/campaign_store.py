"""Campaigns, their coupon sessions, and the events that a webhook tells of."""

import json
import sqlite3
import string
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from .database import Database
from .replies import Json
from .state import number_of, random_text

FIRST_CAMPAIGN = 50001
CODE_CHARACTERS = string.ascii_lowercase + string.digits
CODE_LENGTH = 21
SHORT_LENGTH = 6
MOMENTS = ("created", "opened", "claimed", "validated")
DETAILS = frozenset(
    {"title", "subtitle", "description", "type", "expirydate", "category", "tags", "folder", "directory", "template"}
)


def moment_text(moment: datetime | None = None) -> str:
    """A moment as the vendor writes it: `yyyy-MM-dd HH:mm:ss`, UTC. Without one: now."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Campaign:
    """A coupon. `owner` is `acc_1` or `sub_1001`; `fields` holds what else was said about it."""

    number: int
    owner: str
    name: str
    status: str
    code: str
    fields: Json

    @property
    def id(self) -> str:
        return f"cam_{self.number}"


@dataclass(frozen=True)
class Session:
    """One person's copy of a coupon. Moments are text, empty for what has not happened."""

    code: str
    campaign: int
    sequence: int
    created: str
    opened: str = ""
    claimed: str = ""
    validated: str = ""
    voided: str = ""
    fields: Json | None = None

    @property
    def short(self) -> str:
        return self.code[:SHORT_LENGTH]

    @property
    def is_expired(self) -> bool:
        """Whether its own expiry date is past. Assumed: every campaign here is in UTC."""
        expiry_date = self.field("expiry_date")
        return bool(expiry_date) and expiry_date <= moment_text()

    def field(self, name: str) -> str:
        return str((self.fields or {}).get(name, ""))


@dataclass(frozen=True)
class Event:
    """Something that a webhook tells of. `kind` is `coupon_claimed`, `coupon_validated` and so on."""

    id: str
    owner: str
    campaign: int
    session: str
    kind: str
    at: str


class CampaignStore:
    """Campaigns and sessions, to read and change. What belongs together, callers wrap in a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def campaign(self, number: int) -> Campaign | None:
        row = self._database.row("SELECT * FROM campaign WHERE number = ?", number)
        return None if row is None else _campaign(row)

    def campaign_with_code(self, code: str) -> Campaign | None:
        row = self._database.row("SELECT * FROM campaign WHERE json_extract(data, '$.code') = ?", code)
        return None if row is None else _campaign(row)

    def campaigns(self, owner: str) -> list[Campaign]:
        return [
            _campaign(row)
            for row in self._database.rows("SELECT * FROM campaign WHERE owner = ? ORDER BY number", owner)
        ]

    def add(self, owner: str, fields: Json) -> Campaign:
        """Add a campaign. Raises ValueError without a name or for an unknown field."""
        return self._write(None, owner, fields)

    def put(self, owner: str, changes: Json) -> Campaign:
        """Add a campaign, or change the one with this ID or else this name.

        Raises ValueError without a name or for an unknown field.
        """
        own = {campaign.name: campaign.number for campaign in self.campaigns(owner)}
        number = number_of(changes["ID"], "cam") if "ID" in changes else own.get(changes.get("name", ""))
        return self._write(number, owner, changes)

    def _write(self, number: int | None, owner: str, changes: Json) -> Campaign:
        unknown = changes.keys() - {"ID", "name", "status", "code"} - DETAILS
        if unknown or not changes.get("name"):
            raise ValueError(f"A campaign needs a name and takes no {sorted(unknown)}.")
        old = None if number is None else self.campaign(number)
        details = {name: value for name, value in changes.items() if name in DETAILS}
        campaign = Campaign(
            number or self._next(),
            owner,
            changes["name"],
            changes.get("status") or (old.status if old else "active"),
            changes.get("code") or (old.code if old else random_text(6, string.ascii_lowercase)),
            {**(old.fields if old else {}), **details},
        )
        data = {"name": campaign.name, "status": campaign.status, "code": campaign.code, **campaign.fields}
        self._database.write(
            "INSERT OR REPLACE INTO campaign VALUES (?, ?, ?)", campaign.number, owner, json.dumps(data)
        )
        return campaign

    def remove_all(self, owner: str) -> None:
        """Make an owner's campaigns and their sessions vanish."""
        for campaign in self.campaigns(owner):
            self._database.write("DELETE FROM session WHERE campaign = ?", campaign.number)
        self._database.write("DELETE FROM campaign WHERE owner = ?", owner)

    # Sessions

    def session(self, code: str, owner: str) -> Session | None:
        """An owner's session by its full code, or by the first six characters of it."""
        rows = self._database.rows(
            "SELECT session.* FROM session JOIN campaign ON campaign.number = session.campaign"
            " WHERE campaign.owner = ? AND (session.code = ? OR substr(session.code, 1, 6) = ?)",
            owner,
            code,
            code,
        )
        return _session(rows[0]) if rows else None

    def session_of(self, campaign: Campaign, code: str) -> Session | None:
        found = self.session(code, campaign.owner)
        return found if found is not None and found.campaign == campaign.number else None

    def sessions(
        self, campaign: int, moment: str, since: str, until: str, *, offset: int = 0, most: int = -1
    ) -> list[Session]:
        """Those whose `moment` (one of MOMENTS) is from `since` to `until`, in the order of their making."""
        rows = self._database.rows(
            f"SELECT * FROM session WHERE campaign = ? AND {_column(moment)} BETWEEN ? AND ?"
            " ORDER BY sequence LIMIT ? OFFSET ?",
            campaign,
            since,
            until,
            most,
            offset,
        )
        return [_session(row) for row in rows]

    def count(self, campaign: int, moment: str, since: str, until: str) -> int:
        row = self._database.row(
            f"SELECT count(*) AS n FROM session WHERE campaign = ? AND {_column(moment)} BETWEEN ? AND ?",
            campaign,
            since,
            until,
        )
        return 0 if row is None else int(row["n"])

    def search(self, owner: str, campaign: int | None, wanted: dict[str, str]) -> list[Session]:
        """An owner's sessions, of one campaign if given, where any of the named fields has the value."""
        conditions = " OR ".join("json_extract(session.data, ?) = ?" for _ in wanted)
        values = [text for name, value in wanted.items() for text in (f"$.{name}", value)]
        rows = self._database.rows(
            "SELECT session.* FROM session JOIN campaign ON campaign.number = session.campaign"
            f" WHERE campaign.owner = ? AND (? IS NULL OR campaign.number = ?) AND ({conditions})"
            " ORDER BY session.campaign, session.sequence",
            owner,
            campaign,
            campaign,
            *values,
        )
        return [_session(row) for row in rows]

    def new_session(self, campaign: Campaign, fields: Json) -> Session:
        session = Session(
            random_text(CODE_LENGTH, CODE_CHARACTERS),
            campaign.number,
            self.next_sequence(campaign.number),
            moment_text(),
            fields=fields,
        )
        self.save(session)
        return session

    def next_sequence(self, campaign: int) -> int:
        row = self._database.row("SELECT max(sequence) AS top FROM session WHERE campaign = ?", campaign)
        return 1 if row is None or row["top"] is None else int(row["top"]) + 1

    def save(self, *sessions: Session) -> None:
        self.save_many(sessions)

    def save_many(self, sessions: Iterable[Session]) -> None:
        rows = (
            (
                session.code,
                session.campaign,
                session.sequence,
                session.created,
                session.opened,
                session.claimed,
                session.validated,
                session.voided,
                json.dumps(session.fields or {}),
            )
            for session in sessions
        )
        self._database.write_many("INSERT OR REPLACE INTO session VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def put_before(self, campaign: int, past: list[Session]) -> None:
        """Add sessions, numbered from 1, that came before all that are there: those are counted on from the last."""
        self._database.write("UPDATE session SET sequence = sequence + ? WHERE campaign = ?", len(past), campaign)
        self.save_many(past)

    def remove(self, session: Session) -> None:
        self._database.write("DELETE FROM session WHERE code = ?", session.code)

    def advance(self, session: Session, moment: str, **fields: Any) -> Session:
        """Let a session be opened, claimed or validated, with what comes before; the first time counts."""
        now = moment_text()
        reached = MOMENTS[: MOMENTS.index(moment) + 1]
        moments: dict[str, Any] = {name: getattr(session, name) or now for name in reached}
        advanced = replace(session, **moments, fields={**(session.fields or {}), **fields})
        self.save(advanced)
        return advanced

    # Events

    def record_event(self, owner: str, campaign: int, session: str, kind: str) -> Event:
        event = Event(f"evt_{random_text(20)}", owner, campaign, session, kind, moment_text())
        self._database.write(
            "INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)",
            event.id,
            event.owner,
            event.campaign,
            event.session,
            event.kind,
            event.at,
        )
        return event

    def event(self, id_: str) -> Event | None:
        row = self._database.row("SELECT * FROM event WHERE id = ?", id_)
        return None if row is None else Event(**dict(row))

    def events(self) -> list[Event]:
        rows = self._database.rows("SELECT * FROM event ORDER BY rowid")
        return [Event(**dict(row)) for row in rows]

    def _next(self) -> int:
        row = self._database.row("SELECT max(number) AS top FROM campaign")
        return FIRST_CAMPAIGN if row is None or row["top"] is None else max(FIRST_CAMPAIGN, row["top"] + 1)


def _column(moment: str) -> str:
    if moment not in MOMENTS:
        raise ValueError(f"A session has no moment {moment!r}.")
    return moment


def _campaign(row: sqlite3.Row) -> Campaign:
    data = json.loads(row["data"])
    name, status, code = (data.pop(key) for key in ("name", "status", "code"))
    return Campaign(row["number"], row["owner"], name, status, code, data)


def _session(row: sqlite3.Row) -> Session:
    values = dict(row)
    fields = json.loads(values.pop("data"))
    return Session(**values, fields=fields)
