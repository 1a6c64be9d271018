"""What the vendor may be like, and what goes wrong there: the switches of the sandbox."""

import random
from dataclasses import dataclass
from typing import Any

QUARANTINE_SECONDS = 1.5
LOOK_GAP_SECONDS = 0.2
LONGEST_STOP_SECONDS = 0.6  # a stopped worker wakes within the quarantine
LATE_SECONDS = 0.5
OVERDUE_SECONDS = QUARANTINE_SECONDS + 4.0
CREATE, LIST = "/v4/subaccount/create", "/v4/subaccount/list"


@dataclass(frozen=True)
class Profile:
    """Whether an address is unique at the vendor, and when a create takes effect."""

    unique: str
    effect: str

    @property
    def name(self) -> str:
        unique = {"per_account": "unique per account", "per_vendor": "unique per vendor", "none": "not unique"}
        return f"{unique[self.unique]}, {self.effect}"

    @property
    def letters(self) -> str:
        """A short name, for the workers'."""
        return {"per_account": "a", "per_vendor": "v", "none": "n"}[self.unique] + self.effect[0]

    @property
    def late_seconds(self) -> float:
        return {"prompt": 0.0, "late": LATE_SECONDS, "overdue": OVERDUE_SECONDS}[self.effect]

    @property
    def may_double(self) -> bool:
        """Where neither holds: addresses are not unique, and effects come after the quarantine."""
        return self.unique == "none" and self.effect == "overdue"

    def faults(self, chance: random.Random, calls: int) -> list[dict[str, Any]]:
        """The script of the next `calls` creates and looks: 10 % lost answers, 5 % 500s, and the late effects."""
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
        return script


PROFILES = tuple(
    Profile(unique, effect)
    for unique in ("per_account", "per_vendor", "none")
    for effect in ("prompt", "late", "overdue")
)
