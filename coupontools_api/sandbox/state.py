"""The vendor's world: accounts, subaccounts, one-time tokens, switches."""

import json
import secrets
import sqlite3
import string
import time
from dataclasses import dataclass
from typing import TypedDict

from .database import Database
from .replies import Json
from .settings import Settings

LETTERS_AND_DIGITS = string.ascii_letters + string.digits
FIRST_SUBACCOUNT = 1001
INTEGRATIONS = ("sms", "email")
USES_LEFT = "uses left"


def random_text(length: int, alphabet: str = LETTERS_AND_DIGITS) -> str:
    base, characters = len(alphabet), []
    number = secrets.randbelow(base**length)  # asked for once: a hundred thousand codes are made in one call
    for _ in range(length):
        number, digit = divmod(number, base)
        characters.append(alphabet[digit])
    return "".join(characters)


class AccountFields(TypedDict, total=False):
    """What an account can be given. Hosts are `host[:port]`, or an origin if the scheme matters.

    `integrations` are the services that send for it, by default all of INTEGRATIONS.
    """

    whitelabel_host: str | None
    panel_redirect_host: str | None
    packages: list[str]
    expired: bool
    teammates: list[str]
    integrations: list[str]
    webhook_endpoint: str


class SubaccountFields(TypedDict, total=False):
    """What whoever sets the stage can give a subaccount. `ID` picks the row, or its number."""

    ID: str
    first_name: str
    last_name: str
    company_name: str
    country: str
    package: str
    status: str
    expiry_date: str
    language: str
    currency: str
    password_given: bool
    webhook_endpoint: str
    campaigns: list[dict[str, str]]


ACCOUNT_FIELDS = frozenset(AccountFields.__annotations__)
SUBACCOUNT_FIELDS = frozenset(SubaccountFields.__annotations__)


@dataclass(frozen=True)
class Account:
    """A reseller's account at the vendor."""

    number: int
    client_id: str
    client_secret: str
    whitelabel_host: str | None = None
    panel_redirect_host: str | None = None
    packages: tuple[str, ...] = ()
    expired: bool = False
    teammates: tuple[str, ...] = ()
    integrations: tuple[str, ...] = INTEGRATIONS
    webhook_endpoint: str = ""

    @property
    def id(self) -> str:
        return f"acc_{self.number}"


@dataclass(frozen=True)
class Subaccount:
    """A subaccount. `fields` holds everything else that was said about it."""

    number: int
    client_id: str
    email: str
    fields: Json

    @property
    def id(self) -> str:
        return f"sub_{self.number}"


@dataclass(frozen=True)
class Owner:
    """Whose keys a call carries, and so whose things it sees: an account, or one of its subaccounts."""

    account: Account
    subaccount: Subaccount | None = None

    @property
    def id(self) -> str:
        return self.account.id if self.subaccount is None else self.subaccount.id

    @property
    def webhook_endpoint(self) -> str:
        if self.subaccount is None:
            return self.account.webhook_endpoint
        return str(self.subaccount.fields.get("webhook_endpoint", ""))

    @property
    def api_secret(self) -> str:
        if self.subaccount is None:
            return self.account.client_secret
        return str(self.subaccount.fields["api_secret"])


def number_of(id_: str, prefix: str) -> int:
    """The number in an id. Raises ValueError if it is none."""
    digits = id_.removeprefix(f"{prefix}_")
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError(f"{id_!r} is not a {prefix}_ id.")
    return int(digits)


class State:
    """The world, to read and change. What belongs together, callers wrap in a transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # Switches

    @property
    def settings(self) -> Settings:
        rows = self._database.rows("SELECT name, value FROM setting")
        return Settings(**{row["name"]: json.loads(row["value"]) for row in rows})

    def change_settings(self, changes: Json) -> Settings:
        """Move switches. Raises ValueError for one that does not exist."""
        settings = self.settings.changed(changes)
        for name, value in settings.as_json().items():
            self._database.write("INSERT OR REPLACE INTO setting VALUES (?, ?)", name, json.dumps(value))
        return settings

    # Accounts

    def account(self, client_id: str) -> Account | None:
        row = self._database.row("SELECT * FROM account WHERE client_id = ?", client_id)
        return None if row is None else _account(row)

    def accounts(self) -> list[Account]:
        return [_account(row) for row in self._database.rows("SELECT * FROM account ORDER BY number")]

    def put_account(self, client_id: str, changes: Json) -> None:
        """Add an account or change what is given of it.

        Raises ValueError without an id, for a new one without secret, or an unknown field.
        """
        unknown = changes.keys() - ACCOUNT_FIELDS - {"client_secret"}
        if unknown or not client_id:
            raise ValueError(f"An account needs a client_id and takes no {sorted(unknown)}.")
        row = self._database.row("SELECT data FROM account WHERE client_id = ?", client_id)
        data = {**(json.loads(row["data"]) if row else {}), **changes}
        if not data.get("client_secret"):
            raise ValueError(f"The new account {client_id!r} needs a client_secret.")
        self._database.write(
            "INSERT INTO account (client_id, data) VALUES (?, ?)"
            " ON CONFLICT (client_id) DO UPDATE SET data = excluded.data",
            client_id,
            json.dumps(data),
        )

    def first_visit(self, owner: str) -> bool:
        """Whether this is the first time that this is asked of an owner."""
        return self._database.changed("INSERT OR IGNORE INTO furnished VALUES (?)", owner)

    # Subaccounts

    def subaccount(self, number: int) -> Subaccount | None:
        row = self._database.row("SELECT * FROM subaccount WHERE number = ?", number)
        return None if row is None else _subaccount(row)

    def owner(self, id_: str) -> Owner | None:
        """The account or subaccount that owns things under this id."""
        number = int(id_[4:])
        if id_.startswith("acc_"):
            return next((Owner(account) for account in self.accounts() if account.number == number), None)
        subaccount = self.subaccount(number)
        account = None if subaccount is None else self.account(subaccount.client_id)
        return None if account is None else Owner(account, subaccount)

    def subaccount_by_api_key(self, api_key: str) -> Subaccount | None:
        row = self._database.row("SELECT * FROM subaccount WHERE api_key = ?", api_key)
        return None if row is None else _subaccount(row)

    def subaccounts(self, client_id: str | None = None, as_of: float | None = None) -> list[Subaccount]:
        """All of them, or one account's, now or as they were at a time."""
        if as_of is None:
            rows = self._database.rows(
                "SELECT * FROM subaccount WHERE ? IS NULL OR client_id = ? ORDER BY number",
                client_id,
                client_id,
            )
        else:
            rows = self._database.rows(
                "SELECT number, client_id, data FROM history WHERE rowid IN"
                " (SELECT max(rowid) FROM history"
                " WHERE (? IS NULL OR client_id = ?) AND at <= ? GROUP BY number)"
                " AND data IS NOT NULL ORDER BY number",
                client_id,
                client_id,
                as_of,
            )
        return [_subaccount(row) for row in rows]

    def find_by_email(self, email: str, client_id: str | None) -> list[Subaccount]:
        """Those with an address (capitals do not count), at one account or at the whole vendor."""
        rows = self._database.rows(
            "SELECT * FROM subaccount WHERE email_key = ? AND (? IS NULL OR client_id = ?)",
            email.casefold(),
            client_id,
            client_id,
        )
        return [_subaccount(row) for row in rows]

    def email_taken(self, email: str, client_id: str, *, by_other_than: int | None = None) -> bool:
        scope = self.settings.email_unique
        if scope == "none":
            return False
        found = self.find_by_email(email, client_id if scope == "per_account" else None)
        return any(subaccount.number != by_other_than for subaccount in found)

    def create_subaccount(self, client_id: str, email: str, fields: Json, number: int | None = None) -> Subaccount:
        if number is None:
            number = self._next_subaccount()
        generated = {
            "api_key": random_text(27, string.digits),
            "api_secret": random_text(30),
            "created_at": time.time(),
        }
        subaccount = Subaccount(number, client_id, email, {**generated, **fields})
        self.save(subaccount)
        return subaccount

    def save(self, subaccount: Subaccount) -> None:
        data = json.dumps({"email": subaccount.email, **subaccount.fields})
        self._database.write(
            "INSERT OR REPLACE INTO subaccount VALUES (?, ?, ?, ?, ?)",
            subaccount.number,
            subaccount.client_id,
            subaccount.email.casefold(),
            subaccount.fields["api_key"],
            data,
        )
        self._remember(subaccount, data)

    def remove_subaccount(self, number: int) -> bool:
        """Make a subaccount vanish. False if there is none."""
        subaccount = self.subaccount(number)
        if subaccount is None:
            return False
        self._database.write("DELETE FROM subaccount WHERE number = ?", number)
        self._remember(subaccount, None)
        return True

    def put_subaccount(self, client_id: str, email: str, changes: Json) -> Subaccount:
        """Add a subaccount, or change the one with this ID or else this address.

        Not bound by the vendor's rules on addresses.
        Raises ValueError for an unknown account, an unknown field or a bad ID.
        """
        unknown = changes.keys() - SUBACCOUNT_FIELDS
        if unknown or not email:
            raise ValueError(f"A subaccount needs an email and takes no {sorted(unknown)}.")
        if self.account(client_id) is None:
            raise ValueError(f"There is no account {client_id!r}.")
        fields = {key: value for key, value in changes.items() if key not in {"ID", "campaigns"}}
        number = number_of(changes["ID"], "sub") if "ID" in changes else None
        found = self.find_by_email(email, client_id)[:1] if number is None else [self.subaccount(number)]
        old = found[0] if found else None
        if old is None:
            subaccount = self.create_subaccount(client_id, email, fields, number)
        elif old.client_id != client_id:
            raise ValueError(f"{old.id} belongs to another account.")
        else:
            subaccount = Subaccount(old.number, client_id, email, {**old.fields, **fields})
            self.save(subaccount)
        return subaccount

    # One-time tokens and panel sessions

    def new_token(self, purpose: str, facts: Json, length: int = 49, uses: int = 1) -> str:
        token = random_text(length)
        data = json.dumps({**facts, USES_LEFT: uses})
        self._database.write("INSERT INTO token (token, purpose, data) VALUES (?, ?, ?)", token, purpose, data)
        return token

    def peek_token(self, purpose: str, token: str) -> Json | None:
        """What an unused token stands for."""
        facts = self._token(purpose, token)
        return None if facts is None else {key: value for key, value in facts.items() if key != USES_LEFT}

    def use_token(self, purpose: str, token: str) -> Json | None:
        """What the token stands for, as often as it may be used. Callers wrap it in a transaction."""
        facts = self._token(purpose, token)
        if facts is None:
            return None
        left = facts.pop(USES_LEFT, 1) - 1
        self._database.write(
            "UPDATE token SET used_at = ?, data = ? WHERE token = ?",
            None if left else time.time(),
            json.dumps({**facts, USES_LEFT: left}),
            token,
        )
        return facts

    def _token(self, purpose: str, token: str) -> Json | None:
        row = self._database.row(
            "SELECT data FROM token WHERE token = ? AND purpose = ? AND used_at IS NULL", token, purpose
        )
        return None if row is None else json.loads(row["data"])

    def _next_subaccount(self) -> int:
        """A number never used before, by removed subaccounts neither."""
        row = self._database.row("SELECT max(number) AS top FROM history WHERE number < 9000000")
        return FIRST_SUBACCOUNT if row is None or row["top"] is None else max(FIRST_SUBACCOUNT, row["top"] + 1)

    def _remember(self, subaccount: Subaccount, data: str | None) -> None:
        self._database.write(
            "INSERT INTO history VALUES (?, ?, ?, ?)",
            subaccount.number,
            subaccount.client_id,
            time.time(),
            data,
        )


def _account(row: sqlite3.Row) -> Account:
    data = json.loads(row["data"])
    for name in ("packages", "teammates"):
        data[name] = tuple(str(item) for item in data.get(name) or ())
    data["integrations"] = tuple(data.get("integrations", INTEGRATIONS))
    return Account(row["number"], row["client_id"], **data)


def _subaccount(row: sqlite3.Row) -> Subaccount:
    data = json.loads(row["data"])
    return Subaccount(row["number"], row["client_id"], data.pop("email"), data)
