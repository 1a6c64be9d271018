"""Campaigns, which the vendor's newer documents call coupons: what there is, what was done with it, push messages."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from pydantic import AliasChoices, Field

from coupontools_api.assumed import USAGE_TIME_FORMAT
from coupontools_api.contents import lines
from coupontools_api.endpoints import Dialect, Endpoint, Evidence
from coupontools_api.errors import UnexpectedReply
from coupontools_api.fields import Moment, Text, in_utc
from coupontools_api.ids import CampaignId, CategoryId, FolderId, SessionCode
from coupontools_api.paging import all_pages
from coupontools_api.replies import Reply, check_about
from coupontools_api.sessions import SessionLine
from coupontools_api.transport import Transport

LIST = Endpoint(
    "campaigns.list",
    "POST",
    "/v3/coupon/list",
    Dialect.V3_RPC,
    "Retrieve a list of your campaigns",
    is_long=True,
    codes=(301, 302, 515),
)
GET = Endpoint(
    "campaigns.get",
    "POST",
    "/v3/coupon/info",
    Dialect.V3_RPC,
    "Retrieve information from a campaign",
    codes=(200, 301, 302, 502),
)
USAGE = Endpoint(
    "campaigns.usage",
    "POST",
    "/v3/campaign/data",
    Dialect.V3_RPC,
    "Retrieve all usage data from a campaign",
    is_long=True,
    is_form=True,
    codes=(200, 301, 303, 502),
)
OPENS = Endpoint(
    "campaigns.opens",
    "POST",
    "/v3/campaign/opens",
    Dialect.V3_RPC,
    "Retrieve all usage data from a campaign: opens",
    is_long=True,
    codes=(200, 301, 303, 502),
)
CLAIMS = Endpoint(
    "campaigns.claims",
    "POST",
    "/v3/campaign/claims",
    Dialect.V3_RPC,
    "Retrieve all usage data from a campaign: claims",
    is_long=True,
    codes=(200, 301, 303, 502),
)
VALIDATIONS = Endpoint(
    "campaigns.validations",
    "POST",
    "/v3/campaign/validations",
    Dialect.V3_RPC,
    "Retrieve all usage data from a campaign: validations",
    is_long=True,
    codes=(200, 301, 303, 502),
)
PUSH = Endpoint(
    "campaigns.push",
    "POST",
    "/v3/coupon/pushnotification/single",
    Dialect.V3_RPC,
    "Send single push notification",
    changes=True,
    codes=(200, 301, 502, 505),
)
PUSH_ALL = Endpoint(
    "campaigns.push_all",
    "POST",
    "/v3/coupon/pushnotification/all",
    Dialect.V3_RPC,
    "Send push notification to all",
    Evidence.INFERRED,
    changes=True,
    codes=(200, 301, 502),
)


class Campaign(Reply):
    """A campaign. `status` is a word of the vendor's, such as `active` or `example`; `description` may be HTML.

    The counters of `show_usage_stats` have no published names: they are in `.raw`.
    """

    id: CampaignId = Field(alias="ID")
    code: Text = ""
    name: Text = ""
    title: Text = ""
    subtitle: Text = ""
    description: Text = ""
    type: Text = ""
    status: Text = ""
    url: Text = ""
    expires_at: Moment = Field(default=None, validation_alias=AliasChoices("expirydate", "expiry_date"))
    category_name: Text = Field(default="", alias="coupon_category_name")
    tags: Text = Field(default="", alias="coupon_tags")
    image: Text = Field(default="", alias="coupon_image")


class Campaigns:
    """`client.campaigns`. `time_format` is how moments in filters are written."""

    def __init__(self, transport: Transport, time_format: str = USAGE_TIME_FORMAT) -> None:
        self._transport, self._time_format = transport, time_format

    def list(
        self,
        *,
        only_active: bool | None = None,
        folder: FolderId | None = None,
        tags: Sequence[str] = (),
        category: CategoryId | None = None,
    ) -> tuple[Campaign, ...]:
        """The campaigns of the account, or those that match all that is given. No tag may contain a comma.

        Raises NotFound (515, the folder), InvalidInput (301, 302), Unauthorized (1000), AccountExpired (101),
        Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve a list of your campaigns" (301 and 302 not published).
        """
        if isinstance(tags, str) or any("," in tag for tag in tags):
            raise ValueError("tags are several texts, and one with a comma would be two")
        arguments = {
            "only_active": only_active,
            "folder": None if folder is None else FolderId(folder),
            "tags": ",".join(tags) or None,
            "category": None if category is None else CategoryId(category),
        }
        payload = self._transport.call(LIST, arguments)
        if "coupon_info" not in payload:
            raise UnexpectedReply(LIST.path, detail="no list in the reply")
        return lines(LIST, payload["coupon_info"], Campaign)

    def get(self, campaign: CampaignId, *, show_usage_stats: bool = False) -> Campaign:
        """One campaign; with `show_usage_stats` also the numbers of its custom validation codes, all and claimed.

        Raises NotFound (502), InvalidInput (200, 301, 302), Unauthorized (1000), AccountExpired (101), Throttled,
        NotSent, NoAnswer; UnexpectedReply also if the answer is about another campaign.

        Source: "Retrieve information from a campaign" (302 not published).
        """
        campaign = CampaignId(campaign)
        payload = self._transport.call(GET, {"campaign": campaign, "show_usage_stats": show_usage_stats})
        found = lines(GET, payload.get("coupon_info"), Campaign)
        if len(found) != 1:
            raise UnexpectedReply(GET.path, detail=f"{len(found)} campaigns in the reply")
        check_about(GET, campaign, found[0].id)
        return found[0]

    def usage(
        self, campaign: CampaignId, *, start: date | datetime | None = None, end: date | datetime | None = None
    ) -> Iterator[SessionLine]:
        """All sessions of a campaign, page by page as they are asked for.

        `start` and `end` are inclusive, whole days or moments with a time zone (ValueError without one), in UTC
        (ValueError where that has no such year) and to the minute: seconds are cut, as the vendor takes none.
        Raises, while iterating: NotFound (502), InvalidInput (200, 301, 303), Unauthorized (1000), AccountExpired
        (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve all usage data from a campaign" (errors not published).
        """
        return self._sessions(USAGE, campaign, start, end)

    def opens(
        self, campaign: CampaignId, *, start: date | datetime | None = None, end: date | datetime | None = None
    ) -> Iterator[SessionLine]:
        """The sessions that were opened; `start` and `end` as for `usage`.

        Raises, while iterating: NotFound (502), InvalidInput (200, 301, 303), Unauthorized (1000), AccountExpired
        (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve all usage data from a campaign: opens" (errors not published).
        """
        return self._sessions(OPENS, campaign, start, end)

    def claims(
        self, campaign: CampaignId, *, start: date | datetime | None = None, end: date | datetime | None = None
    ) -> Iterator[SessionLine]:
        """The sessions that were claimed; `start` and `end` as for `usage`.

        Raises, while iterating: NotFound (502), InvalidInput (200, 301, 303), Unauthorized (1000), AccountExpired
        (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve all usage data from a campaign: claims" (errors not published).
        """
        return self._sessions(CLAIMS, campaign, start, end)

    def validations(
        self, campaign: CampaignId, *, start: date | datetime | None = None, end: date | datetime | None = None
    ) -> Iterator[SessionLine]:
        """The sessions that were validated; `start` and `end` as for `usage`.

        Raises, while iterating: NotFound (502), InvalidInput (200, 301, 303), Unauthorized (1000), AccountExpired
        (101), Throttled, NotSent, NoAnswer, UnexpectedReply.

        Source: "Retrieve all usage data from a campaign: validations" (errors not published).
        """
        return self._sessions(VALIDATIONS, campaign, start, end)

    def push(self, campaign: CampaignId, *, session: SessionCode, message: str) -> None:
        """Sends a message to the wallet of whoever holds that session; `session` may be its first six characters.

        Never retried. Raises NotFound (505; 502 for the campaign), InvalidInput (200, 301), Unauthorized (1000),
        AccountExpired (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have happened.

        Source: "Send single push notification" of campaigns (errors but 505 not published).
        """
        arguments = {"campaign": CampaignId(campaign), "couponsession": SessionCode(session), "message": message}
        self._transport.call(PUSH, arguments)

    def push_all(self, campaign: CampaignId, *, message: str) -> None:
        """Sends a message to every wallet that holds the coupon. Never retried.

        Raises Undocumented unless the client allows it: the path is not published. NotFound (502), InvalidInput (200,
        301), Unauthorized (1000), AccountExpired (101), Throttled, NotSent; NoAnswer and UnexpectedReply may have
        happened.

        Source: menu line "Send push notification to all" of campaigns (errors not published).
        """
        self._transport.call(PUSH_ALL, {"campaign": CampaignId(campaign), "message": message})

    def _sessions(
        self, endpoint: Endpoint, campaign: CampaignId, start: date | datetime | None, end: date | datetime | None
    ) -> Iterator[SessionLine]:
        arguments = {
            "campaign": CampaignId(campaign),
            "start_date": self._bound(start, "start"),
            "end_date": self._bound(end, "end"),
        }
        return all_pages(
            self._transport, endpoint, arguments, SessionLine, known_by=lambda line: line.session, key="data"
        )

    def _bound(self, when: date | datetime | None, name: str) -> str | None:
        if isinstance(when, datetime):
            return in_utc(when, name).strftime(self._time_format)
        return when.isoformat() if when else None
