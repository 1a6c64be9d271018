"""Directories of the v4 REST calls. Ids are plain numbers; answers have no envelope."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from pydantic import Field

from coupontools_api.contents import rest_lines
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import Flag, Moment, NeededSecret, Secret, Text, flag_of, in_utc, written_day
from coupontools_api.ids import PlainId
from coupontools_api.paging import all_rest_pages
from coupontools_api.replies import Reply, check_about, judge_done
from coupontools_api.single_use import numbered
from coupontools_api.transport import Transport

DIRECTORY = "/v4/directory/{directory}"
PERSON = DIRECTORY + "/users/{user}"
LIST = Endpoint(
    "directories.v4.list", "GET", "/v4/directory", Dialect.V4_REST, "Directory v4: list directories", is_long=True
)
GET = Endpoint("directories.v4.get", "GET", DIRECTORY, Dialect.V4_REST, "Directory v4: get directory")
USERS = Endpoint(
    "directories.v4.users", "GET", f"{DIRECTORY}/users", Dialect.V4_REST, "Directory v4: list users", is_long=True
)
USER = Endpoint("directories.v4.user", "GET", PERSON, Dialect.V4_REST, "Directory v4: get user")
CREATE_USER = Endpoint(
    "directories.v4.create_user",
    "POST",
    f"{DIRECTORY}/users",
    Dialect.V4_REST,
    "Directory v4: create user",
    changes=True,
    codes=(304, 305),
)
SET_BLOCKED = Endpoint(
    "directories.v4.set_blocked", "POST", PERSON, Dialect.V4_REST, "Directory v4: update user", changes=True
)
GRANT_ACCESS = Endpoint(
    "directories.v4.grant_access",
    "POST",
    f"{PERSON}/access",
    Dialect.V4_REST,
    "Directory v4: grant access",
    changes=True,
)
REVOKE_ACCESS = Endpoint(
    "directories.v4.revoke_access",
    "DELETE",
    f"{PERSON}/access",
    Dialect.V4_REST,
    "Directory v4: revoke access",
    changes=True,
)
SIGN_ON = Endpoint(
    "directories.v4.sign_on",
    "POST",
    f"{PERSON}/sso",
    Dialect.V4_REST,
    "Directory v4: single sign on for a user",
    changes=True,
)
SEND_EMAIL = Endpoint(
    "directories.v4.send_email",
    "POST",
    f"{DIRECTORY}/distribution/email",
    Dialect.V4_REST,
    "Directory v4: distribution by email",
    Evidence.INFERRED,
    changes=True,
    codes=(104, 305),
)
MAX_CUSTOM = 3


class DirectoryV4(Reply):
    """A directory. What else there is, is in `.raw`."""

    id: PlainId
    name: Text = ""


class DirectoryUserV4(Reply):
    """Somebody registered with a directory. What else there is, is in `.raw`."""

    id: PlainId
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    phone: Text = ""
    created_at: Moment = None
    is_blocked: Flag = Field(default=None, alias="block")


class DirectorySignOn(Reply):
    """A way into the directory for one registered visitor; the token is valid once."""

    token: NeededSecret
    url: Secret = None


class DirectoriesV4:
    """`client.directories.v4`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> tuple[DirectoryV4, ...]:
        """The directories of the account.

        Raises Unauthorized (401), AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Directory v4: list directories".
        """
        return rest_lines(LIST, self._transport.call_rest(LIST), DirectoryV4)

    def get(self, directory: PlainId) -> DirectoryV4:
        """One directory.

        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent,
        NoAnswer, UnexpectedReply.

        Source: "Directory v4: get directory" (response and errors not published).
        """
        found = DirectoryV4.of(GET, self._transport.call_rest(GET, ids={"directory": PlainId(directory)}))
        check_about(GET, PlainId(directory), found.id)
        return found

    def users(self, directory: PlainId) -> Iterator[DirectoryUserV4]:
        """Everybody registered, page by page as they are asked for.

        Raises, while iterating: NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101),
        Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Directory v4: list users" (paging and errors assumed).
        """
        ids = {"directory": PlainId(directory)}
        return all_rest_pages(self._transport, USERS, ids, DirectoryUserV4, known_by=lambda user: user.id)

    def user(self, directory: PlainId, user: PlainId) -> DirectoryUserV4:
        """One who is registered.

        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent,
        NoAnswer, UnexpectedReply.

        Source: "Directory v4: get user" (response and errors not published).
        """
        found = DirectoryUserV4.of(USER, self._transport.call_rest(USER, ids=_person(directory, user)))
        check_about(USER, PlainId(user), found.id)
        return found

    def create_user(
        self,
        directory: PlainId,
        *,
        email: str,
        password: str | None = None,
        first_name: str | None = None,
        last_name: str | None = None,
        phone: str | None = None,
        birth_date: date | None = None,
        address: str | None = None,
        zip_code: str | None = None,
        city: str | None = None,
        custom: Sequence[str] = (),
    ) -> DirectoryUserV4:
        """Registers somebody; without a password the vendor makes one up. At most three of `custom` (ValueError).

        Never retried. Raises NotFound (404), EmailTaken (304), InvalidEmail (305), InvalidInput (400, 422),
        Unauthorized (401), AccountExpired (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Directory v4: create user" (response and errors not published).
        """
        arguments = {
            "email": email,
            "password": password,
            "first_name": first_name,
            "last_name": last_name,
            "phone": phone,
            "birth_date": written_day(birth_date),
            "address": address,
            "zip": zip_code,
            "city": city,
            **numbered("custom_", custom, MAX_CUSTOM),
        }
        found = self._transport.call_rest(CREATE_USER, arguments, ids={"directory": PlainId(directory)})
        return DirectoryUserV4.of(CREATE_USER, found)

    def set_blocked(self, directory: PlainId, user: PlainId, *, is_blocked: bool) -> None:
        """Blocks somebody, or ends that: the one change that this endpoint supports. Never retried.

        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent;
        NoAnswer and UnexpectedReply may have happened.

        Source: "Directory v4: update user" (response and errors not published).
        """
        self._make(SET_BLOCKED, directory, user, {"block": is_blocked}, told_as="block", wanted=is_blocked)

    def grant_access(self, directory: PlainId, user: PlainId, *, expires_at: datetime | None = None) -> None:
        """Lets somebody in, until `expires_at` or for good. Never retried.

        ValueError for an `expires_at` without a time zone or of no year that UTC has, before any call.
        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent;
        NoAnswer and UnexpectedReply may have happened.

        Source: "Directory v4: grant access" (response and errors not published).
        """
        until = in_utc(expires_at, "expires_at").strftime("%Y-%m-%d %H:%M:%S") if expires_at else None
        self._make(GRANT_ACCESS, directory, user, {"expires_at": until}, told_as="access", wanted=True)

    def revoke_access(self, directory: PlainId, user: PlainId) -> None:
        """Takes access away. Never retried.

        Raises NotFound (404), InvalidInput (400, 422), Unauthorized (401), AccountExpired (101), Throttled, NotSent;
        NoAnswer and UnexpectedReply may have happened.

        Source: "Directory v4: revoke access" (response and errors not published).
        """
        self._make(REVOKE_ACCESS, directory, user, {}, told_as="access", wanted=False)

    def sign_on(self, directory: PlainId, user: PlainId) -> DirectorySignOn:
        """Mints a token with which somebody is signed in to the directory, valid once. Never retried.

        Raises NotFound (404), InvalidInput (400, 422) also for who is blocked or has no access, Unauthorized (401),
        AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Directory v4: single sign on for a user" (response and errors not published).
        """
        found = DirectorySignOn.of(SIGN_ON, self._transport.call_rest(SIGN_ON, ids=_person(directory, user)))
        check_about(SIGN_ON, PlainId(user), found.raw.get("id"))
        return found

    def send_email(self, directory: PlainId, *, email: str) -> None:
        """Mails the directory to one address. Never retried.

        Raises Undocumented unless the client allows it: neither path nor parameters are published. NoIntegration
        (104), NotFound (404), InvalidEmail (305), InvalidInput (400, 422), Unauthorized (401), AccountExpired
        (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Directory v4: distribution by email" (cut).
        """
        answer = self._transport.call_rest(SEND_EMAIL, {"email": email}, ids={"directory": PlainId(directory)})
        judge_done(SEND_EMAIL, answer)

    def _make(
        self,
        endpoint: Endpoint,
        directory: PlainId,
        user: PlainId,
        arguments: Mapping[str, Any],
        *,
        told_as: str,
        wanted: bool,
    ) -> None:
        """A change that the answer need not tell of; where it does, under `told_as`, it is as `wanted`."""
        answer = self._transport.call_rest(endpoint, arguments, ids=_person(directory, user))
        judge_done(endpoint, answer, asked=PlainId(user))
        if isinstance(answer, dict) and flag_of(answer.get(told_as)) not in (None, wanted):
            raise UnexpectedReply(endpoint.path, detail="says the contrary")


def _person(directory: PlainId, user: PlainId) -> dict[str, int]:
    return {"directory": PlainId(directory), "user": PlainId(user)}
