"""The rules of the machine, and the choice among those that can do something now.

Hypothesis' own choice tries again and again what is not possible, and seldom comes to what seldom is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

Rule = Callable[[Any, Random], None]


@dataclass(frozen=True)
class _Known:
    is_possible: Callable[[Any], Any]
    often: int


_known: dict[str, _Known] = {}


def possible(when: Callable[[Any], Any] = lambda machine: True, *, often: int = 1) -> Callable[[Rule], Rule]:
    """Makes a method a rule, for a machine of which `when` is true; `often` times as likely as the others."""

    def known(rule: Rule) -> Rule:
        _known[rule.__name__] = _Known(when, often)
        return rule

    return known


def names() -> list[str]:
    return sorted(_known)


def draw(machine: Any, left_out: set[str], chance: Random) -> str:
    """The name of one that is possible now, each as often as it is to be likely.

    The first possible one of all in any order: what no rule asked about before it is not read.
    """
    drawn = [name for name in names() if name not in left_out for _ in range(_known[name].often)]
    chance.shuffle(drawn)
    return next(name for name in drawn if _known[name].is_possible(machine))
