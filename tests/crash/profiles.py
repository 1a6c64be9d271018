"""What the vendor may be like, and what goes wrong there: the switches of the sandbox."""

import random
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

CREATE, LIST = "/v4/subaccount/create", "/v4/subaccount/list"
CAUTIONS = ("quarantine", "second look")


@dataclass(frozen=True)
class Times:
    """Seconds, in the order that production's minutes have.

    A worker that is stopped asks so much later; an effect that is late comes after that, and the vendor's list is
    behind by more. What comes of a question may be listed after the quarantine has ended, but before the second look.
    """

    quarantine: float
    look_gap: float
    late: float
    list_is_behind: float
    longest_stop: float
    overdue: float

    def put_in_force(self) -> None:
        """For this process and all that it forks."""
        settings.PROVISIONING_QUARANTINE_SECONDS = self.quarantine
        settings.PROVISIONING_LOOK_GAP_SECONDS = self.look_gap

    def environment(self) -> dict[str, str]:
        """For a process that it starts."""
        names = {"PROVISIONING_QUARANTINE_SECONDS": self.quarantine, "PROVISIONING_LOOK_GAP_SECONDS": self.look_gap}
        return {name: str(seconds) for name, seconds in names.items()}


# Where the sandbox itself refuses a second account, or a double is to be expected.
QUICK = Times(quarantine=1.5, look_gap=0.2, late=0.5, list_is_behind=0.0, longest_stop=0.6, overdue=5.5)
# Where nothing but the worker's patience stands before a double. A row has its next turn in about a second, and needs
# three from a lost answer to another create: whoever is not patient has taken them long before an account is listed.
PATIENT = Times(quarantine=6.0, look_gap=4.0, late=4.0, list_is_behind=4.5, longest_stop=0.6, overdue=10.0)


@dataclass(frozen=True)
class Profile:
    """Whether an address is unique at the vendor, and when a create takes effect.

    `without` is which of the product's cautions is taken away: a control, which has to find doubles.
    """

    unique: str
    effect: str
    without: str = ""

    @property
    def name(self) -> str:
        unique = {"per_account": "unique per account", "per_vendor": "unique per vendor", "none": "not unique"}
        return f"{unique[self.unique]}, {self.effect}"

    @property
    def letters(self) -> str:
        """A short name, for the workers'."""
        return {"per_account": "a", "per_vendor": "v", "none": "n"}[self.unique] + self.effect[0]

    @property
    def times(self) -> Times:
        times = PATIENT if self.unique == "none" and not self.may_double else QUICK
        match self.without:
            case "quarantine":
                return replace(times, quarantine=0.0, look_gap=0.0)
            case "second look":
                return replace(times, look_gap=0.0)
        return times

    @property
    def late_seconds(self) -> float:
        return {"prompt": 0.0, "late": self.times.late, "overdue": self.times.overdue}[self.effect]

    @property
    def may_double(self) -> bool:
        """Where neither holds: addresses are not unique, and effects come after the quarantine."""
        return self.unique == "none" and self.effect == "overdue"

    def faults(self, chance: random.Random, calls: int) -> list[dict[str, Any]]:
        """The script of the next `calls` creates and looks: 10 % lost answers, 5 % 500s, and the late effects.

        Where effects are late, the list is behind as well, whatever else becomes of the look.
        """
        script = []
        for call in range(1, calls + 1):
            drawn = chance.random()
            if drawn < 0.10:
                kind: dict[str, Any] = {"kind": chance.choice(["reset_after", "truncated", "empty"])}
            elif drawn < 0.15:
                kind = {"kind": "status", "status": 500, "after_effect": chance.random() < 0.3}
            elif self.late_seconds and drawn < 0.55:
                then = chance.choice(["reset", "html"])
                kind = {"kind": "late_effect", "seconds": self.late_seconds, "then": then}
            else:
                continue
            script.append({"path": CREATE, "call": call, **kind})
        for call in range(1, calls + 1):
            if chance.random() < 0.05:
                script.append({"path": LIST, "call": call, "kind": "status", "status": 500})
        if self.effect == "late" and (behind := self.times.list_is_behind):
            script.append({"path": LIST, "kind": "stale_list", "seconds": behind, "times": None})
        return script


PROFILES = tuple(
    Profile(unique, effect)
    for unique in ("per_account", "per_vendor", "none")
    for effect in ("prompt", "late", "overdue")
)
