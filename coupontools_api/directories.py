"""Directories of the v3 calls: collections of campaigns with registered visitors. v4 is `client.directories.v4`."""

from collections.abc import Iterator
from typing import Any

from pydantic import Field

from coupontools_api.assumed import PAYMENT_STATUS_PARAMETER
from coupontools_api.campaigns import Campaign
from coupontools_api.contents import only_object, whole_list
from coupontools_api.directories_v4 import DirectoriesV4
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import MomentInUtc, Text, flag_of
from coupontools_api.ids import CategoryId, DirectoryId, DirectoryUserId
from coupontools_api.paging import all_pages
from coupontools_api.replies import Reply, check_about, check_within
from coupontools_api.transport import Transport

LIST = Endpoint(
    "directories.list",
    "POST",
    "/v3/directory/list",
    Dialect.V3_RPC,
    "Retrieve a list of your directories",
    is_long=True,
)
GET = Endpoint(
    "directories.get",
    "POST",
    "/v3/directory/info",
    Dialect.V3_RPC,
    "Retrieve information from a directory",
    codes=(200, 301, 507),
)
CAMPAIGNS = Endpoint(
    "directories.campaigns",
    "POST",
    "/v3/directorycampaigns/list",
    Dialect.V3_RPC,
    "Retrieve all campaigns from a directory",
    Evidence.INFERRED,
    is_long=True,
    codes=(200, 301, 507),
)
USERS = Endpoint(
    "directories.users",
    "POST",
    "/v3/directoryusers/list",
    Dialect.V3_RPC,
    "Retrieve registered users from a directory",
    is_long=True,
    codes=(200, 301, 507),
)
SET_PAYMENT_STATUS = Endpoint(
    "directories.set_payment_status",
    "POST",
    "/v3/directoryusers/update",
    Dialect.V3_RPC,
    "Update directory user payment status",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 301, 302, 507),
)
CATEGORIES = Endpoint(
    "directories.categories",
    "POST",
    "/v3/category/list",
    Dialect.V3_RPC,
    "Retrieve a list of categories",
    is_long=True,
)
THIRD_LEVEL_CATEGORIES = Endpoint(
    "directories.third_level_categories",
    "POST",
    "/v3/category/main/list",
    Dialect.V3_RPC,
    "Retrieve a list of 3rd level categories",
    is_long=True,
)
NAMES_OF_CATEGORIES = "category", "categories"


class Directory(Reply):
    """A directory. No form of it is published: what else there is, is in `.raw`."""

    id: DirectoryId = Field(alias="ID")
    name: Text = ""
    code: Text = ""
    url: Text = ""


class DirectoryUser(Reply):
    """Somebody registered with a directory. What else there is, is in `.raw`."""

    id: DirectoryUserId = Field(alias="ID")
    email: Text = ""
    first_name: Text = ""
    last_name: Text = ""
    phone: Text = ""
    created_at: MomentInUtc = Field(default=None, alias="created_date_utc")
    payment_status: Text = ""


class Category(Reply):
    """A category of campaigns."""

    id: CategoryId = Field(alias="ID")
    name: Text = ""


class Directories:
    """`client.directories`; its `v4` has the REST calls."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self.v4 = DirectoriesV4(transport)

    def list(self) -> tuple[Directory, ...]:
        """The directories of the account.

        Raises Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve a list of your directories" (response not published).
        """
        return whole_list(LIST, self._transport.call(LIST), Directory, "directory", "directories")

    def get(self, directory: DirectoryId) -> Directory:
        """One directory.

        Raises NotFound (507), InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent,
        NoAnswer, UnexpectedReply.

        Source: "Retrieve information from a directory" (response and 200 not published).
        """
        payload = self._transport.call(GET, {"directory": DirectoryId(directory)})
        found = Directory.of(GET, only_object(GET, payload))
        check_about(GET, DirectoryId(directory), found.id)
        return found

    def campaigns(self, directory: DirectoryId) -> tuple[Campaign, ...]:
        """The campaigns of a directory.

        Raises Undocumented unless the client allows it: the path is not published. NotFound (507), InvalidInput (200,
        301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: menu line "Retrieve all campaigns from a directory" (errors not published).
        """
        payload = self._transport.call(CAMPAIGNS, {"directory": DirectoryId(directory)})
        return whole_list(CAMPAIGNS, payload, Campaign, "campaign", "campaigns")

    def users(self, directory: DirectoryId) -> Iterator[DirectoryUser]:
        """Everybody registered, newest first, page by page as they are asked for; a page has at most 100.

        Raises, while iterating: NotFound (507), InvalidInput (200, 301), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve registered users from a directory" (response and 200 not published).
        """
        arguments = {"directory": DirectoryId(directory)}
        return all_pages(self._transport, USERS, arguments, DirectoryUser, known_by=lambda user: user.id)

    def set_payment_status(self, directory: DirectoryId, *, user: DirectoryUserId, status: str) -> Reply:
        """Says whether somebody has paid; the values of `status` are not published. Never retried.

        Both ids arrive as parameters on the custom payment address. Raises Undocumented unless the client allows it:
        the name of the parameter is not published. NotFound (507), InvalidInput (200, 301, 302), Unauthorized (1000),
        AccountExpired (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Update directory user payment status" (errors not published).
        """
        directory, user = DirectoryId(directory), DirectoryUserId(user)
        arguments = {"directory": directory, "user": user, PAYMENT_STATUS_PARAMETER: status}
        payload = self._transport.call(SET_PAYMENT_STATUS, arguments)
        check_within(SET_PAYMENT_STATUS, directory, payload, "directory")
        check_within(SET_PAYMENT_STATUS, user, payload, "user")
        if isinstance(payload.get("user"), dict) and _is_contrary(payload["user"].get("payment_status"), status):
            raise UnexpectedReply(SET_PAYMENT_STATUS.path, detail="says the contrary")
        return Reply.of(SET_PAYMENT_STATUS, payload)

    def categories(self) -> tuple[Category, ...]:
        """The categories of the account.

        Raises Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve a list of categories" (response not published).
        """
        return whole_list(CATEGORIES, self._transport.call(CATEGORIES), Category, *NAMES_OF_CATEGORIES)

    def third_level_categories(self) -> tuple[Category, ...]:
        """The categories of the third level, where the account uses them.

        Raises Unauthorized (1000), AccountExpired (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve a list of 3rd level categories" (response not published).
        """
        payload = self._transport.call(THIRD_LEVEL_CATEGORIES)
        return whole_list(THIRD_LEVEL_CATEGORIES, payload, Category, *NAMES_OF_CATEGORIES)


def _is_contrary(told: Any, asked: str) -> bool:
    """Whether a payment status is another one. Which word goes with which yes or no is not published."""
    if told in (None, "") or (flag_of(told) is None) != (flag_of(asked) is None):
        return False
    is_same = str(told).strip().lower() == asked.strip().lower()
    return not is_same if flag_of(told) is None else flag_of(told) is not flag_of(asked)
