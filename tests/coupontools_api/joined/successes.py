"""One row per endpoint: how the client calls it about what is in the sandbox, and what has to come of it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from coupontools_api.client import Coupontools
from coupontools_api.ids import (
    CampaignId,
    DirectoryId,
    DirectoryUserId,
    EventId,
    GroupId,
    LoyaltyCardId,
    LoyaltyUserId,
    PlainId,
    SessionCode,
    SubaccountId,
    TeammateId,
)
from coupontools_api.loyalty import Gender, Sorting
from coupontools_api.loyalty_v4 import NewLoyaltyUser
from coupontools_api.sessions import SessionAction
from coupontools_api.subaccounts import Page
from tests.coupontools_api.joined.conftest import World

Asks = Callable[[Coupontools, World], Any]
Shows = Callable[[Any, World], bool]
NEW, PHONE = "new@cafe.test", "+32470123456"
KIM = NewLoyaltyUser(first_name="Kim", email=NEW, custom=("a", "b"))


@dataclass(frozen=True)
class Success:
    """`shows` looks at what the client made of the answer; `effect` is what the sandbox has to have done."""

    ask: Asks
    shows: Shows
    effect: str = ""


def campaign(world: World) -> CampaignId:
    return CampaignId(world.stock.campaign)


def session(world: World) -> SessionCode:
    return SessionCode(world.stock.session)


def card(world: World) -> LoyaltyCardId:
    return LoyaltyCardId(world.stock.card)


def directory(world: World) -> DirectoryId:
    return DirectoryId(world.stock.directory)


def group(world: World) -> GroupId:
    return GroupId(world.stock.group)


def plain(id_: str) -> PlainId:
    return PlainId(id_.rpartition("_")[2])


def holder(world: World) -> tuple[PlainId, PlainId]:
    return plain(world.stock.card), plain(world.stock.card_user)


def visitor(world: World) -> tuple[PlainId, PlainId]:
    return plain(world.stock.directory), plain(world.stock.directory_user)


def nothing(found: Any, world: World) -> bool:
    return found is None


def opens(found: Any, world: World) -> bool:
    token, url = found.token.get_secret_value(), found.url.get_secret_value()
    return len(token) == 49 and url.startswith(world.sandbox.url) and url.endswith(f"token={token}")


def sessions_of(method: str) -> Success:
    """All sessions of a campaign up to tomorrow: the stock's is among them."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    return Success(
        lambda client, world: list(getattr(client.campaigns, method)(campaign(world), end=tomorrow)),
        lambda found, world: (
            world.stock.session in [line.session for line in found]
            and all(line.sequence_id and line.status.created_at for line in found)
        ),
    )


def is_listed(part: str) -> Shows:
    return lambda found, world: (
        getattr(world.stock, part) in [row.id for row in found] and all(row.raw for row in found)
    )


def numbered(part: str) -> Shows:
    return lambda found, world: plain(getattr(world.stock, part)) in [row.id for row in found]


SUCCESSES: dict[str, Success] = {
    "account.sign_on": Success(lambda client, world: client.account.sign_on(), opens, "sign_on"),
    "teammates.sign_on": Success(lambda client, world: client.teammates.sign_on(TeammateId("77")), opens, "sign_on"),
    "subaccounts.list": Success(
        lambda client, world: client.subaccounts.list(),
        lambda found, world: [row.email for row in found] == ["bo@bakery.test", "other@bakery.test"],
    ),
    "subaccounts.get": Success(
        lambda client, world: client.subaccounts.get(SubaccountId(world.bo)),
        lambda found, world: (
            (found.id, found.email, found.company_name) == (world.bo, "bo@bakery.test", "Bo's Bakery")
            and [row.id for row in found.campaigns] == [world.bos_campaign]
            and found.key_pair is None
        ),
    ),
    "subaccounts.create": Success(
        lambda client, world: client.subaccounts.create(email=NEW, password="long-enough-password"),
        lambda found, world: found.email == NEW and found.id not in (world.bo, ""),
        "subaccount_created",
    ),
    "subaccounts.update": Success(
        lambda client, world: client.subaccounts.update(SubaccountId(world.bo), company_name="Bo & Co"),
        nothing,
        "updated",
    ),
    "subaccounts.password_reset_url": Success(
        lambda client, world: client.subaccounts.password_reset_url(SubaccountId(world.bo)),
        lambda found, world: (
            found.id == world.bo and found.url.get_secret_value().startswith(f"{world.sandbox.url}/reset?token=")
        ),
        "reset_url",
    ),
    "subaccounts.sign_on": Success(
        lambda client, world: client.subaccounts.sign_on(
            SubaccountId(world.bo), page=Page.UPDATE_CAMPAIGN, campaign=CampaignId(world.bos_campaign)
        ),
        lambda found, world: found.id == world.bo and opens(found, world),
        "sign_on",
    ),
    "campaigns.list": Success(lambda client, world: client.campaigns.list(), is_listed("campaign")),
    "campaigns.get": Success(
        lambda client, world: client.campaigns.get(campaign(world), show_usage_stats=True),
        lambda found, world: found.id == world.stock.campaign and "claimed_custom_validation_codes" in found.raw,
    ),
    "campaigns.usage": sessions_of("usage"),
    "campaigns.opens": sessions_of("opens"),
    "campaigns.claims": sessions_of("claims"),
    "campaigns.validations": sessions_of("validations"),
    "campaigns.push": Success(
        lambda client, world: client.campaigns.push(campaign(world), session=session(world), message="Today"),
        nothing,
        "push",
    ),
    "campaigns.push_all": Success(
        lambda client, world: client.campaigns.push_all(campaign(world), message="Today"), nothing, "push_to_all"
    ),
    "sessions.get": Success(
        lambda client, world: client.sessions.get(session(world)),
        lambda found, world: (
            (found.session, found.campaign) == (world.stock.session, world.stock.campaign)
            and found.url.startswith(f"{world.sandbox.url}/p/")
            and found.status.is_claimed is True
            and found.raw["data"]["customer"]["email"] == "eve@cafe.test"
        ),
    ),
    "sessions.update": Success(
        lambda client, world: client.sessions.update(session(world), action=SessionAction.VOID),
        lambda found, world: found.raw["data"]["status"]["voided_date_utc"] != "",
        "session_updated",
    ),
    "sessions.update_many": Success(
        lambda client, world: client.sessions.update_many([session(world)], action=SessionAction.VOID),
        lambda found, world: bool(found.raw),
        "session_updated",
    ),
    "sessions.search": Success(
        lambda client, world: client.sessions.search("eve@cafe.test"),
        lambda found, world: [line.session for line in found] == [world.stock.session],
    ),
    "sessions.search_in_campaign": Success(
        lambda client, world: client.sessions.search_in_campaign(campaign(world), "eve@cafe.test"),
        lambda found, world: [line.session for line in found] == [world.stock.session],
    ),
    "loyalty.list": Success(lambda client, world: client.loyalty.list(sorting=Sorting.DESCENDING), is_listed("card")),
    "loyalty.get": Success(
        lambda client, world: client.loyalty.get(card(world)),
        lambda found, world: found.id == world.stock.card and found.name != "",
    ),
    "loyalty.users": Success(lambda client, world: client.loyalty.users(card(world)), is_listed("card_user")),
    "loyalty.update_user": Success(
        lambda client, world: client.loyalty.update_user(
            card(world), user=LoyaltyUserId(world.stock.card_user), amount=5
        ),
        lambda found, world: found.raw["user"]["ID"] == world.stock.card_user,
        "card_user_updated",
    ),
    "loyalty.create_user": Success(
        lambda client, world: client.loyalty.create_user(
            email=NEW, password="long-enough-password", gender=Gender.UNKNOWN, birthday=datetime(1990, 1, 2).date()
        ),
        lambda found, world: found.raw["user"]["birthday"] == "1990-01-02",
        "card_user_created",
    ),
    "loyalty.search_users": Success(
        lambda client, world: client.loyalty.search_users(card(world), "example"), is_listed("card_user")
    ),
    "loyalty.push": Success(
        lambda client, world: client.loyalty.push(
            card(world), user=LoyaltyUserId(world.stock.card_user), message="Today"
        ),
        nothing,
        "push",
    ),
    "loyalty.push_all": Success(
        lambda client, world: client.loyalty.push_all(card(world), message="Today"), nothing, "push_to_all"
    ),
    "loyalty.v4.list": Success(lambda client, world: client.loyalty.v4.list(), numbered("card")),
    "loyalty.v4.copy": Success(
        lambda client, world: client.loyalty.v4.copy(plain(world.stock.card), name="Copy"),
        lambda found, world: found.name == "Copy" and found.id != plain(world.stock.card),
        "card_created",
    ),
    "loyalty.v4.users": Success(
        lambda client, world: client.loyalty.v4.users(
            plain(world.stock.card), pagination={"page": 1, "per_page": 50}, include_voided=True
        ),
        numbered("card_user"),
    ),
    "loyalty.v4.user": Success(
        lambda client, world: client.loyalty.v4.user(*holder(world)),
        lambda found, world: found.id == holder(world)[1] and found.email != "",
    ),
    "loyalty.v4.create_user": Success(
        lambda client, world: client.loyalty.v4.create_user(plain(world.stock.card), KIM),
        lambda found, world: (found.first_name, found.email, found.raw["custom_2"]) == ("Kim", NEW, "b"),
        "card_user_linked",
    ),
    "loyalty.v4.create_users": Success(
        lambda client, world: client.loyalty.v4.create_users(plain(world.stock.card), [KIM, KIM]),
        lambda found, world: [row.email for row in found] == [NEW, NEW],
        "card_user_linked",
    ),
    "loyalty.v4.update_user": Success(
        lambda client, world: client.loyalty.v4.update_user(*holder(world), KIM),
        lambda found, world: (found.id, found.first_name) == (holder(world)[1], "Kim"),
        "card_user_updated",
    ),
    "loyalty.v4.add_stamps": Success(
        lambda client, world: client.loyalty.v4.add_stamps(*holder(world), amount=2),
        lambda found, world: (found.stamps or 0) + (found.points or 0) >= 2,
        "card_user_updated",
    ),
    "directories.list": Success(lambda client, world: client.directories.list(), is_listed("directory")),
    "directories.get": Success(
        lambda client, world: client.directories.get(directory(world)),
        lambda found, world: found.id == world.stock.directory and found.name != "",
    ),
    "directories.campaigns": Success(
        lambda client, world: client.directories.campaigns(directory(world)),
        lambda found, world: len(found) > 0 and all(row.id.startswith("cam_") and row.url for row in found),
    ),
    "directories.users": Success(
        lambda client, world: list(client.directories.users(directory(world))),
        lambda found, world: (
            world.stock.directory_user in [row.id for row in found] and all(row.created_at for row in found)
        ),
    ),
    "directories.set_payment_status": Success(
        lambda client, world: client.directories.set_payment_status(
            directory(world), user=DirectoryUserId(world.stock.directory_user), status="paid"
        ),
        lambda found, world: found.raw["user"]["payment_status"] == "paid",
        "directory_user_updated",
    ),
    "directories.categories": Success(
        lambda client, world: client.directories.categories(),
        lambda found, world: "Food and drink" in [row.name for row in found],
    ),
    "directories.third_level_categories": Success(
        lambda client, world: client.directories.third_level_categories(),
        lambda found, world: "Bakeries" in [row.name for row in found],
    ),
    "directories.v4.list": Success(lambda client, world: client.directories.v4.list(), numbered("directory")),
    "directories.v4.get": Success(
        lambda client, world: client.directories.v4.get(plain(world.stock.directory)),
        lambda found, world: found.id == plain(world.stock.directory) and found.name != "",
    ),
    "directories.v4.users": Success(
        lambda client, world: list(client.directories.v4.users(plain(world.stock.directory))),
        numbered("directory_user"),
    ),
    "directories.v4.user": Success(
        lambda client, world: client.directories.v4.user(*visitor(world)),
        lambda found, world: found.id == visitor(world)[1] and found.created_at is not None,
    ),
    "directories.v4.create_user": Success(
        lambda client, world: client.directories.v4.create_user(
            plain(world.stock.directory), email=NEW, birth_date=datetime(1990, 1, 2).date(), zip_code="1000"
        ),
        lambda found, world: (found.email, found.raw["birth_date"], found.is_blocked) == (NEW, "1990-01-02", False),
        "directory_user_created",
    ),
    "directories.v4.set_blocked": Success(
        lambda client, world: client.directories.v4.set_blocked(*visitor(world), is_blocked=True),
        nothing,
        "directory_user_updated",
    ),
    "directories.v4.grant_access": Success(
        lambda client, world: client.directories.v4.grant_access(
            *visitor(world), expires_at=datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
        ),
        nothing,
        "directory_user_updated",
    ),
    "directories.v4.revoke_access": Success(
        lambda client, world: client.directories.v4.revoke_access(*visitor(world)), nothing, "directory_user_updated"
    ),
    "directories.v4.sign_on": Success(
        lambda client, world: client.directories.v4.sign_on(*visitor(world)), opens, "sign_on"
    ),
    "directories.v4.send_email": Success(
        lambda client, world: client.directories.v4.send_email(plain(world.stock.directory), email=NEW),
        nothing,
        "email_sent",
    ),
    "single_use.create": Success(
        lambda client, world: client.single_use.create(campaign(world), email=NEW, custom_id="k"),
        lambda found, world: (
            (found.campaign, found.custom_id, found.widget_validation_code)
            == (world.stock.campaign, "k", found.code[:6])
            and found.url.endswith(found.code)
        ),
        "single_use_created",
    ),
    "single_use.create_many": Success(
        lambda client, world: client.single_use.create_many(campaign(world), amount=3, code_prefix="A", code_length=12),
        lambda found, world: (
            len({row.code for row in found}) == 3
            and all(row.sequence_id and len(row.custom_validation_code) == 13 for row in found)
        ),
        "single_use_created",
    ),
    "single_use.remove": Success(
        lambda client, world: client.single_use.remove(campaign(world), code=session(world)),
        nothing,
        "single_use_removed",
    ),
    "messages.send_email": Success(
        lambda client, world: client.messages.send_email(directory(world), email=NEW, subject="Hi"),
        lambda found, world: found.action == "email_sent",
        "email_sent",
    ),
    "messages.send_sms": Success(
        lambda client, world: client.messages.send_sms(campaign(world), phone=PHONE, message="Hi", sender="Shop"),
        lambda found, world: (
            (found.phone, found.message) == (PHONE, "Hi") and found.single_use_code in found.single_use_url
        ),
        "sms_sent",
    ),
    "messages.sms_groups": Success(lambda client, world: client.messages.sms_groups(), is_listed("group")),
    "messages.sms_contacts": Success(
        lambda client, world: client.messages.sms_contacts(group(world)),
        lambda found, world: len(found) > 0 and all(row.phone.startswith("+") for row in found),
    ),
    "messages.add_sms_group": Success(
        lambda client, world: client.messages.add_sms_group("Regulars"),
        lambda found, world: found.raw["group"]["name"] == "Regulars",
        "sms_group_created",
    ),
    "messages.add_sms_contact": Success(
        lambda client, world: client.messages.add_sms_contact(group(world), phone=PHONE, custom_fields=["a"]),
        lambda found, world: found.raw["contact"]["customfield1"] == "a",
        "sms_contact_created",
    ),
    "messages.email_groups": Success(
        lambda client, world: client.messages.email_groups(),
        lambda found, world: len(found) > 0 and all(row.id.startswith("gro_") and row.name for row in found),
    ),
    "webhooks.verify": Success(
        lambda client, world: client.webhooks.verify(EventId(world.event), session(world)),
        lambda found, world: (
            (found.event, found.campaign, found.session, found.type)
            == (world.event, world.stock.campaign, world.stock.session, "coupon_claimed")
            and found.happened_at is not None
        ),
    ),
}
