"""A believable past, made up from a seed: the same seed tells the same story, told at its owner's first call.

An account gets campaigns, loyalty cards, directories, categories and groups of its own. A subaccount gets a past for
the campaigns that whoever set the stage gave it, and a card and a directory to go with them; one without campaigns
has only just been made and stays empty. Without a `world_seed` nothing is made up.
"""

import math
import string
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from .campaign_store import CODE_CHARACTERS, CODE_LENGTH, Campaign, Session, moment_text
from .record_store import Record
from .replies import Json
from .state import Owner
from .vendor import Vendor

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
CARDS = (("membership", "Regulars", "loyalty.coupontools.com"), ("stamp", "Ten stamps, one free", "save2wallet.link"))
OPENED, CLAIMED, VALIDATED, VOIDED = 0.85, 0.45, 0.7, 0.02


def furnish(vendor: Vendor, owner: Owner) -> None:
    """Give an owner its past, once. Callers wrap it in a transaction."""
    settings = vendor.state.settings
    if settings.world_seed is None or not vendor.state.first_visit(owner.id):
        return
    random = Random(f"{settings.world_seed} {owner.account.client_id} {owner.id}")  # noqa: S311 -- a story, no secret
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    _Story(vendor, owner, random, today, settings.world_days).tell()


@dataclass(frozen=True)
class _Story:
    """One owner's past. `today` is midnight, which nothing in it comes after; `days` is how far back it goes."""

    vendor: Vendor
    owner: Owner
    random: Random
    today: datetime
    days: int

    def tell(self) -> None:
        campaigns = self.vendor.campaigns.campaigns(self.owner.id)
        if self.owner.subaccount is None:
            campaigns += [self.campaign(*about) for about in CAMPAIGNS]
        if not campaigns:
            return
        for campaign in campaigns:
            busy = self.random.uniform(1, 9)  # sessions on an ordinary day
            # A visitor may have taken a coupon before the owner's first call.
            self.vendor.campaigns.put_before(campaign.number, list(self.sessions(campaign, busy)))
        for kind, names in (("category", CATEGORIES), ("third_level_category", THIRD_LEVEL_CATEGORIES)):
            for name in names:
                self.add(kind, {"name": name})
        for about in CARDS if self.owner.subaccount is None else CARDS[:1]:
            self.card(*about)
        self.directory(campaigns[::2])
        self.groups()

    def campaign(self, name: str, tags: str, category: str) -> Campaign:
        fields = {
            "name": name,
            "status": self.random.choice(("active", "active", "active", "example")),
            "code": self.letters(6, string.ascii_lowercase),
            "title": name,
            "tags": tags,
            "category": category,
            "folder": str(self.random.randint(1, 2)),
        }
        return self.vendor.campaigns.add(self.owner.id, fields)

    def sessions(self, campaign: Campaign, busy: float) -> Iterator[Session]:
        """In the order of their making."""
        sequence = 0
        for age in range(self.days, 0, -1):
            day = self.today - timedelta(days=age)
            expected = busy * WEEK[day.weekday()] * (1 + 0.3 * math.sin(age / 29))
            amount = int(expected) + (self.random.random() < expected % 1)
            for moment in sorted(self.moment(day) for _ in range(amount)):
                sequence += 1
                yield self.session(campaign, sequence, moment)

    def session(self, campaign: Campaign, sequence: int, created: datetime) -> Session:
        random = self.random
        opened = created + timedelta(minutes=random.expovariate(1 / 90))
        claimed = opened + timedelta(hours=random.expovariate(1 / 20))
        validated = claimed + timedelta(minutes=random.expovariate(1 / 15))
        is_opened = random.random() < OPENED and opened < self.today
        is_claimed = is_opened and random.random() < CLAIMED and claimed < self.today
        is_validated = is_claimed and random.random() < VALIDATED and validated < self.today
        is_voided = not is_claimed and random.random() < VOIDED and opened < self.today
        name = random.choice(FIRST_NAMES)
        fields = {
            "firstname": name,
            "lastname": random.choice(LAST_NAMES),
            "email": _address(name, sequence),
            "own_validation_code": self.letters(8, string.digits),
            "saved_to_passbook": "1" if is_opened and random.random() < 0.3 else "0",
        }
        if is_claimed:
            fields["claimtype"] = random.choice(("widget", "online"))
        return Session(
            self.letters(CODE_LENGTH, CODE_CHARACTERS),
            campaign.number,
            sequence,
            moment_text(created),
            moment_text(opened) if is_opened else "",
            moment_text(claimed) if is_claimed else "",
            moment_text(validated) if is_validated else "",
            moment_text(opened) if is_voided else "",
            fields,
        )

    def card(self, type_: str, name: str, domain: str) -> None:
        about = {"name": name, "type": type_, "domain": domain, "code": self.letters(6, string.ascii_lowercase)}
        card = self.add("card", {**about, "status": "active", "created": self.beginning()})
        for number in range(1, self.random.randint(15, 40)):
            user = self.add("card_user", self.person(number))
            held = {
                "user": user.number,
                "points": self.random.randrange(0, 500, 5) if type_ == "membership" else 0,
                "stamps": self.random.randint(0, 10) if type_ == "stamp" else 0,
                "voided": self.random.random() < 0.05,
                "created": self.past(),
            }
            self.add("membership", held, card)

    def directory(self, campaigns: list[Campaign]) -> None:
        about = {"name": "Around the corner", "status": "active", "created": self.beginning()}
        directory = self.add("directory", about)
        for campaign in campaigns:
            shown = {"ID": campaign.id, "name": campaign.name, "directory": directory.id}
            self.vendor.campaigns.put(self.owner.id, shown)
        for number in range(1, 131 if self.owner.subaccount is None else 41):
            standing = {
                "payment_status": self.random.choices(("paid", "unpaid"), (3, 1))[0],
                "blocked": self.random.random() < 0.03,
                "created": self.past(),
            }
            self.add("directory_user", {**self.person(number), **standing}, directory)

    def groups(self) -> None:
        self.add("email_group", {"name": "Newsletter"})
        group = self.add("sms_group", {"name": "Newsletter by SMS"})
        for number in range(1, 11):
            person = self.person(number)
            contact = {name: person[name] for name in ("phone", "first_name", "last_name")}
            self.add("sms_contact", contact, group)

    def add(self, kind: str, data: Json, parent: Record | None = None) -> Record:
        return self.vendor.records.add(kind, self.owner.id, data, 0 if parent is None else parent.number)

    def person(self, number: int) -> Json:
        name = self.random.choice(FIRST_NAMES)
        return {
            "first_name": name,
            "last_name": self.random.choice(LAST_NAMES),
            "email": _address(name, number),
            "phone": f"+3247{self.random.randrange(10**7):07}",
            "city": self.random.choice(CITIES),
        }

    def moment(self, day: datetime) -> datetime:
        hour = self.random.choices(range(24), HOURS)[0]
        return day + timedelta(hours=hour, seconds=self.random.randrange(3600))

    def past(self) -> str:
        return moment_text(self.moment(self.today - timedelta(days=self.random.randint(1, self.days))))

    def beginning(self) -> str:
        return moment_text(self.today - timedelta(days=self.days))

    def letters(self, length: int, alphabet: str) -> str:
        return "".join(self.random.choices(alphabet, k=length))


def _address(name: str, number: int) -> str:
    ascii_name = "".join(letter for letter in name.lower() if letter.isascii())
    return f"{ascii_name}.{number}@example.test"
