"""The rows of the v4 REST calls."""

from datetime import UTC, date, datetime

from coupontools_api.loyalty_v4 import NewLoyaltyUser
from tests.coupontools_api.rows import LINK, OTHER, PLAIN, TOKEN, Call, ids

SOMEBODY = NewLoyaltyUser(first_name="Kim", zip_code="1000", custom=("a", "b"))
SOMEBODY_SENT = {"first_name": "Kim", "zip": "1000", "custom_1": "a", "custom_2": "b"}
PLAIN_PERSON = {"id": 9, "email": "kim@shop.example", "stamps": "3"}


REST_CALLS: dict[str, Call] = {
    "loyalty.v4.list": Call(
        lambda client: client.loyalty.v4.list(),
        [{"id": 7, "code": "x", "name": "Card", "domain": "loyalty.example", "type": "stamp"}],
        reads=(lambda found: [(row.id, row.type) for row in found], [(7, "stamp")]),
    ),
    "loyalty.v4.copy": Call(
        lambda client: client.loyalty.v4.copy(PLAIN, name="Copy"),
        {"id": "8", "name": "Copy"},
        {"name": "Copy"},
        "/v4/loyalty/loyalty-cards/7/copy",
        reads=(lambda found: (found.id, found.name), (8, "Copy")),
    ),
    "loyalty.v4.users": Call(
        lambda client: client.loyalty.v4.users(
            PLAIN, filters={"email": "k m"}, pagination={"page": 2}, include_voided=True
        ),
        {"data": [PLAIN_PERSON], "pagination": {"page": 2}},
        "filter%5Bemail%5D=k+m&pagination%5Bpage%5D=2&include_voided=true",
        "/v4/loyalty/loyalty-cards/7/stats",
        reads=(lambda found: [(row.id, row.stamps) for row in found], [(9, 3)]),
    ),
    "loyalty.v4.user": Call(
        lambda client: client.loyalty.v4.user(PLAIN, OTHER),
        PLAIN_PERSON,
        path="/v4/loyalty/loyalty-cards/7/stats/9",
        reads=(lambda found: found.email, "kim@shop.example"),
    ),
    "loyalty.v4.create_user": Call(
        lambda client: client.loyalty.v4.create_user(PLAIN, SOMEBODY),
        PLAIN_PERSON,
        SOMEBODY_SENT,
        "/v4/loyalty/loyalty-cards/7/stats",
        reads=(lambda found: found.id, 9),
    ),
    "loyalty.v4.create_users": Call(
        lambda client: client.loyalty.v4.create_users(PLAIN, [SOMEBODY]),
        [PLAIN_PERSON],
        [SOMEBODY_SENT],
        "/v4/loyalty/loyalty-cards/7/stats/bulk",
        reads=(ids, [9]),
    ),
    "loyalty.v4.update_user": Call(
        lambda client: client.loyalty.v4.update_user(PLAIN, OTHER, SOMEBODY),
        PLAIN_PERSON,
        SOMEBODY_SENT,
        "/v4/loyalty/loyalty-cards/7/stats/9",
        reads=(lambda found: found.id, 9),
    ),
    "loyalty.v4.add_stamps": Call(
        lambda client: client.loyalty.v4.add_stamps(PLAIN, OTHER, amount=2),
        PLAIN_PERSON,
        {"amount": 2},
        "/v4/loyalty/loyalty-cards/7/stats/9/stamps",
        reads=(lambda found: found.stamps, 3),
    ),
    "directories.v4.list": Call(
        lambda client: client.directories.v4.list(), [{"id": 7, "name": "Town"}], reads=(ids, [7])
    ),
    "directories.v4.get": Call(
        lambda client: client.directories.v4.get(PLAIN), {"id": 7, "name": "Town"}, path="/v4/directory/7",
        reads=(lambda found: found.name, "Town"),
    ),
    "directories.v4.users": Call(
        lambda client: list(client.directories.v4.users(PLAIN)), [PLAIN_PERSON], path="/v4/directory/7/users",
        reads=(ids, [9]),
    ),
    "directories.v4.user": Call(
        lambda client: client.directories.v4.user(PLAIN, OTHER), PLAIN_PERSON | {"block": 1},
        path="/v4/directory/7/users/9", reads=(lambda found: found.is_blocked, True),
    ),
    "directories.v4.create_user": Call(
        lambda client: client.directories.v4.create_user(
            PLAIN, email="kim@shop.example", birth_date=date(1990, 1, 2), zip_code="1000", custom=["a"]
        ),
        PLAIN_PERSON,
        {"email": "kim@shop.example", "birth_date": "1990-01-02", "zip": "1000", "custom_1": "a"},
        "/v4/directory/7/users",
        reads=(lambda found: found.id, 9),
    ),
    "directories.v4.set_blocked": Call(
        lambda client: client.directories.v4.set_blocked(PLAIN, OTHER, is_blocked=True), {}, {"block": True},
        "/v4/directory/7/users/9",
    ),
    "directories.v4.grant_access": Call(
        lambda client: client.directories.v4.grant_access(PLAIN, OTHER, expires_at=datetime(2026, 1, 2, 3, tzinfo=UTC)),
        {}, {"expires_at": "2026-01-02 03:00:00"}, "/v4/directory/7/users/9/access",
    ),
    "directories.v4.revoke_access": Call(
        lambda client: client.directories.v4.revoke_access(PLAIN, OTHER), {}, path="/v4/directory/7/users/9/access"
    ),
    "directories.v4.sign_on": Call(
        lambda client: client.directories.v4.sign_on(PLAIN, OTHER), {"token": TOKEN, "url": LINK},
        path="/v4/directory/7/users/9/sso", reads=(lambda found: found.url.get_secret_value(), LINK),
    ),
    "directories.v4.send_email": Call(
        lambda client: client.directories.v4.send_email(PLAIN, email="kim@shop.example"), {},
        {"email": "kim@shop.example"}, "/v4/directory/7/distribution/email",
    ),
    # Left as it is written: a line a case, to be read as a table.
}  # a line each is read best  # fmt: skip
