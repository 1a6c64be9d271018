"""Change of the sealing keys: every sealed value gets the first of `SEALING_KEYS`, while everything runs on."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import transaction
from django.db.models import Model, QuerySet

from accounts.crypto import CannotOpen, reseal
from accounts.models import Event, ScopedQuerySet

BATCH = 200  # rows in one transaction: nobody waits for them longer than a moment
PREFIX = "sealed_"
# allauth keeps all of a second factor in one column, and gives these parts of it to the adapter to seal.
IN_JSON = {"mfa.Authenticator": ("data", ("secret", "seed", "migrated_codes"))}


@dataclass(frozen=True)
class Place:
    """A column that holds sealed values: a text, or JSON with sealed texts (or lists of them) under `keys`."""

    model: type[Model]
    column: str
    keys: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.model._meta.label}.{self.column}"

    def rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model._default_manager.all()
        if isinstance(rows, ScopedQuerySet):
            rows = rows.across_agencies()
        if self.keys:
            return rows.filter(**{f"{self.column}__has_any_keys": self.keys}).order_by("pk")
        return rows.exclude(**{self.column: ""}).order_by("pk")

    def resealed(self, value: Any) -> Any:
        """The value with the first key: an equal one where nothing had to be done. Raises CannotOpen."""
        if not self.keys:
            return reseal(value)
        return {name: _resealed(part) if name in self.keys else part for name, part in value.items()}

    def needs_old_key(self, value: Any) -> bool:
        """Whether the value opens, but not with the first key."""
        try:
            return bool(self.resealed(value) != value)
        except CannotOpen:
            return False


def _resealed(part: Any) -> Any:
    return [reseal(text) for text in part] if isinstance(part, list) else reseal(part)


def places() -> list[Place]:
    """Every column that holds sealed values: those that are named so, and those in which a library keeps them."""
    found = [
        Place(model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.name.startswith(PREFIX)
    ]
    return found + [Place(apps.get_model(label), column, keys) for label, (column, keys) in IN_JSON.items()]


@dataclass(frozen=True)
class Standing:
    """How many rows of a place open with the first key, need an older one, or open with none (their keys)."""

    current: int
    old: int
    unreadable: list[Any]


def standing(place: Place) -> Standing:
    """Reads every row, changes nothing."""
    counts: Counter[bool] = Counter()
    unreadable = []
    for pk, value in place.rows().values_list("pk", place.column).iterator(chunk_size=BATCH):
        try:
            counts[place.resealed(value) == value] += 1
        except CannotOpen:
            unreadable.append(pk)
    return Standing(counts[True], counts[False], unreadable)


def rotate(place: Place, *, batch: int = BATCH, progress: Callable[[int], None] = lambda rows: None) -> int:
    """Seals what needs an older key anew, `batch` rows in one transaction. Returns how many rows that were.

    May be killed at any moment and started again: what is done needs no second time, what is not stays readable.
    Rows that somebody holds at the moment are left out, and so are those that open with no key; `standing` tells.
    """
    done, last = 0, None
    while True:
        rows = place.rows() if last is None else place.rows().filter(pk__gt=last)
        values = list(rows.values_list("pk", place.column)[:batch])
        if not values:
            return done
        last = values[-1][0]
        # Read without a lock first: what is done already is not held again.
        if due := [pk for pk, value in values if place.needs_old_key(value)]:
            done += _rotate(place, due)
            progress(done)


@transaction.atomic
def _rotate(place: Place, due: list[Any]) -> int:
    """Reads again behind the rows' locks, so nothing that was written meanwhile is overwritten; waits for nobody."""
    changed = 0
    # no_key: whoever only refers to a row does not wait for us. On SQLite the transaction is alone anyway.
    rows = place.rows().filter(pk__in=due).select_for_update(skip_locked=True, no_key=True)
    for pk, value in rows.values_list("pk", place.column):
        if place.needs_old_key(value):
            changed += place.rows().filter(pk=pk).update(**{place.column: place.resealed(value)})
    if changed:
        Event.objects.record("sealing.rotated", agency=None, column=str(place), rows=changed)
    return changed
