"""A believable past, made up from a seed: the same seed tells the same story, told at its owner's first call.

An account gets campaigns, loyalty cards, directories, categories and groups of its own. A subaccount gets a past for
the campaigns that whoever set the stage gave it, and a card and a directory to go with them; one without campaigns
has only just been made and stays empty. Without a `world_seed` nothing is made up.
"""

import math
import string
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from random import Random

from .campaign_store import CODE_CHARACTERS, CODE_LENGTH, Campaign, Session, moment_text
from .replies import Json
from .state import Owner
from .vendor import Vendor

DAYS = 180
CAMPAIGNS = (
    ("Second coffee free", "coffee,spring", "Food and drink"),
    ("Welcome, 10% off", "welcome", "Shopping"),
    ("Family Sunday", "family,weekend", "Food and drink"),
    ("Early bird haircut", "beauty", "Health and beauty"),
    ("Winter tyres checked", "service,winter", "Services"),
    ("Museum night", "culture", "Leisure"),
)
CATEGORIES = ("Food and drink", "Shopping", "Health and beauty", "Services", "Leisure")
THIRD_LEVEL_CATEGORIES = ("Bakeries", "Coffee bars", "Hairdressers", "Garages")
FIRST_NAMES = (
    "Anna",
    "Bram",
    "Chloé",
    "Daan",
    "Elif",
    "Finn",
    "Greta",
    "Hugo",
    "Inès",
    "Jan",
    "Lotte",
    "Milan",
    "Noor",
)
LAST_NAMES = ("Janssens", "Peeters", "Dubois", "Maes", "De Smet", "García", "Müller", "Lambert", "Yıldız", "O'Neil")
CITIES = ("Antwerp", "Ghent", "Brussels", "Leuven", "Bruges", "Liège")
# Monday to Sunday, and the hours of a day: shops are full on Saturdays, at noon and after work.
WEEK = (0.7, 0.75, 0.85, 0.95, 1.3, 1.6, 0.9)
HOURS = (0, 0, 0, 0, 0, 0, 1, 3, 5, 6, 7, 8, 11, 9, 6, 6, 7, 9, 11, 8, 5, 3, 2, 1)
OPENED, CLAIMED, VALIDATED, VOIDED = 0.85, 0.45, 0.7, 0.02


def furnish(vendor: Vendor, owner: Owner) -> None:
    """Give an owner its past, once. Callers wrap it in a transaction."""
    seed = vendor.state.settings.world_seed
    if seed is None or not vendor.state.first_visit(owner.id):
        return
    random = Random(f"{seed} {owner.account.client_id} {owner.id}")  # noqa: S311 -- a story, no secret
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    campaigns = vendor.campaigns.campaigns(owner.id)
    if owner.subaccount is None:
        campaigns += [_campaign(vendor, owner, random, *about) for about in CAMPAIGNS]
    if not campaigns:
        return
    for campaign in campaigns:
        busy = random.uniform(1, 9)  # sessions on an ordinary day
        vendor.campaigns.save_many(_sessions(campaign, random, today, busy))
    _records(vendor, owner, random, today, campaigns)


def _campaign(vendor: Vendor, owner: Owner, random: Random, name: str, tags: str, category: str) -> Campaign:
    status = random.choice(("active", "active", "active", "example"))
    fields = {
        "name": name,
        "status": status,
        "code": "".join(random.choices(string.ascii_lowercase, k=6)),
        "title": name,
        "tags": tags,
        "category": category,
        "folder": str(random.randint(1, 2)),
    }
    return vendor.campaigns.add(owner.id, fields)


def _sessions(campaign: Campaign, random: Random, today: datetime, busy: float) -> Iterator[Session]:
    """One after the other in the order of their making, none later than yesterday."""
    sequence = 0
    for age in range(DAYS, 0, -1):
        day = today - timedelta(days=age)
        expected = busy * WEEK[day.weekday()] * (1 + 0.3 * math.sin(age / 29))
        amount = int(expected) + (random.random() < expected % 1)
        for moment in sorted(_moment(random, day) for _ in range(amount)):
            sequence += 1
            yield _session(campaign, random, sequence, moment, today)


def _session(campaign: Campaign, random: Random, sequence: int, created: datetime, today: datetime) -> Session:
    name, surname = random.choice(FIRST_NAMES), random.choice(LAST_NAMES)
    opened = created + timedelta(minutes=random.expovariate(1 / 90))
    claimed = opened + timedelta(hours=random.expovariate(1 / 20))
    validated = claimed + timedelta(minutes=random.expovariate(1 / 15))
    is_opened = random.random() < OPENED and opened < today
    is_claimed = is_opened and random.random() < CLAIMED and claimed < today
    is_validated = is_claimed and random.random() < VALIDATED and validated < today
    is_voided = not is_claimed and random.random() < VOIDED
    fields = {
        "firstname": name,
        "lastname": surname,
        "email": _address(name, sequence),
        "own_validation_code": "".join(random.choices(string.digits, k=8)),
        "saved_to_passbook": "1" if is_opened and random.random() < 0.3 else "0",
    }
    if is_claimed:
        fields["claimtype"] = random.choice(("widget", "online"))
    return Session(
        "".join(random.choices(CODE_CHARACTERS, k=CODE_LENGTH)),
        campaign.number,
        sequence,
        moment_text(created),
        moment_text(opened) if is_opened else "",
        moment_text(claimed) if is_claimed else "",
        moment_text(validated) if is_validated else "",
        moment_text(opened) if is_voided else "",
        fields,
    )


def _records(vendor: Vendor, owner: Owner, random: Random, today: datetime, campaigns: list[Campaign]) -> None:
    add = vendor.records.add
    for kind, names in (("category", CATEGORIES), ("third_level_category", THIRD_LEVEL_CATEGORIES)):
        for name in names:
            add(kind, owner.id, {"name": name})
    cards = [
        ("membership", "Regulars", "loyalty.coupontools.com"),
        ("stamp", "Ten stamps, one free", "save2wallet.link"),
    ]
    for type_, name, domain in cards[: 1 if owner.subaccount else 2]:
        data = {
            "name": name,
            "type": type_,
            "domain": domain,
            "code": "".join(random.choices(string.ascii_lowercase, k=6)),
            "status": "active",
            "created": moment_text(today - timedelta(days=DAYS)),
        }
        card = add("card", owner.id, data)
        for number in range(1, random.randint(15, 40)):
            user = add("card_user", owner.id, _person(random, number))
            held = {
                "user": user.number,
                "points": random.randrange(0, 500, 5) if type_ == "membership" else 0,
                "stamps": random.randint(0, 10) if type_ == "stamp" else 0,
                "voided": random.random() < 0.05,
                "created": _past(random, today),
            }
            add("membership", owner.id, held, card.number)
    data = {"name": "Around the corner", "status": "active", "created": moment_text(today - timedelta(days=DAYS))}
    directory = add("directory", owner.id, data)
    for campaign in campaigns[::2]:
        vendor.campaigns.put(owner.id, {"ID": campaign.id, "name": campaign.name, "directory": directory.id})
    for number in range(1, 41 if owner.subaccount else 131):
        standing = {
            "payment_status": random.choices(("paid", "unpaid"), (3, 1))[0],
            "blocked": random.random() < 0.03,
            "created": _past(random, today),
        }
        add("directory_user", owner.id, {**_person(random, number), **standing}, directory.number)
    for kind, name in (("sms_group", "Newsletter by SMS"), ("email_group", "Newsletter")):
        group = add(kind, owner.id, {"name": name})
        if kind == "sms_group":
            for number in range(1, 11):
                person = _person(random, number)
                contact = {name: person[name] for name in ("phone", "first_name", "last_name")}
                add("sms_contact", owner.id, contact, group.number)


def _person(random: Random, number: int) -> Json:
    name = random.choice(FIRST_NAMES)
    return {
        "first_name": name,
        "last_name": random.choice(LAST_NAMES),
        "email": _address(name, number),
        "phone": f"+3247{random.randrange(10**7):07}",
        "city": random.choice(CITIES),
    }


def _address(name: str, number: int) -> str:
    ascii_name = "".join(letter for letter in name.lower() if letter.isascii())
    return f"{ascii_name}.{number}@example.test"


def _moment(random: Random, day: datetime) -> datetime:
    hour = random.choices(range(24), HOURS)[0]
    return day + timedelta(hours=hour, seconds=random.randrange(3600))


def _past(random: Random, today: datetime) -> str:
    return moment_text(_moment(random, today - timedelta(days=random.randint(1, DAYS))))
