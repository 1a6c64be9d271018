"""Doors about packages: what an agency offers, in which order, and what it no longer offers."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.errors import NotAllowed
from accounts.models import Agency, Event, Package, User

FIELDS = frozenset(
    {
        "name",
        "text",
        "points",
        "price",
        "currency",
        "trial_days",
        "vendor_package_id",
        "is_visible",
        "is_recommended",
        "sends_expiry_date",
    }
)


@transaction.atomic
def create(*, agency: Agency, acting_user: User, **facts: Any) -> Package:
    """Adds a package at the end of the list. `facts` holds values of FIELDS."""
    others = _locked(agency)
    package = Package(agency=agency, position=max((other.position for other in others), default=-1) + 1)
    _assign(package, facts)
    package.save(force_insert=True)
    ids = _recommend_alone(package)
    _record("package.created", package, acting_user, vendor_package_id=package.vendor_package_id, **ids)
    return package


@transaction.atomic
def change(package: Package, *, acting_user: User, **facts: Any) -> Package:
    """Changes a package; customers who have it keep the vendor package and the trial that they started with.

    Another vendor package id counts for new accounts only, and clears what the vendor held against the old one.
    Nothing is written where nothing differs.
    """
    current = Package.objects.for_agency(package.agency).select_for_update().get(pk=package.pk)
    was = current.vendor_package_id
    changed = _assign(current, facts)
    if not changed:
        return current
    if "vendor_package_id" in changed:
        current.refused_at = None
    current.save(update_fields=[*changed, "refused_at"])
    ids: dict[str, Any] = _recommend_alone(current)
    if "vendor_package_id" in changed:
        ids |= {"was": was, "vendor_package_id": current.vendor_package_id}
    _record("package.changed", current, acting_user, changed=changed, **ids)
    return current


@transaction.atomic
def archive(package: Package, *, acting_user: User) -> None:
    """Takes a package out of every choice; customers who have it keep it. Raises NotAllowed if it is archived."""
    open_ones = Package.objects.for_agency(package.agency).filter(pk=package.pk, archived_at=None)
    if not open_ones.update(archived_at=timezone.now()):
        raise NotAllowed("This package is archived already.")
    _record("package.archived", package, acting_user)


@transaction.atomic
def restore(package: Package, *, acting_user: User) -> None:
    """Brings an archived package back, at the end of the list. Raises NotAllowed if it is not archived."""
    everything = _locked(package.agency)
    current = next(other for other in everything if other.pk == package.pk)
    if current.archived_at is None:
        raise NotAllowed("This package is not archived.")
    current.archived_at, current.position = None, max(other.position for other in everything) + 1
    current.save(update_fields=["archived_at", "position"])
    _record("package.restored", package, acting_user)


@transaction.atomic
def move(package: Package, *, up: bool, acting_user: User) -> None:
    """Moves a package one place up or down in the list; at its end nothing happens. Raises NotAllowed if archived."""
    row = [other for other in _locked(package.agency) if other.archived_at is None]
    index = next((number for number, other in enumerate(row) if other.pk == package.pk), None)
    if index is None:
        raise NotAllowed("An archived package has no place in the list.")
    target = index - 1 if up else index + 1
    if not 0 <= target < len(row):
        return
    row[index], row[target] = row[target], row[index]
    for position, other in enumerate(row):
        other.position = position
    Package.objects.for_agency(package.agency).bulk_update(row, ["position"])
    _record("package.moved", package, acting_user, position=target)


def _locked(agency: Agency) -> list[Package]:
    """All packages in their order, held until the end of the transaction: two who move at once take turns."""
    return list(Package.objects.for_agency(agency).select_for_update().order_by("position", "pk"))


def _assign(package: Package, facts: dict[str, Any]) -> list[str]:
    """Sets the facts, and says which differ from before."""
    if unknown := facts.keys() - FIELDS:
        raise ValueError(f"no fields of a package: {sorted(unknown)}")
    changed = sorted(name for name, value in facts.items() if getattr(package, name) != value)
    for name in changed:
        setattr(package, name, facts[name])
    return changed


def _recommend_alone(package: Package) -> dict[str, Any]:
    """One package is recommended at a time: the sign-up page has one filled button. Says who lost the mark."""
    if not package.is_recommended:
        return {}
    marked = Package.objects.for_agency(package.agency).filter(is_recommended=True).exclude(pk=package.pk)
    others = [str(other.public_id) for other in marked]
    if others:
        marked.update(is_recommended=False)
    return {"no_longer_recommended": others} if others else {}


def _record(kind: str, package: Package, acting_user: User, **data: Any) -> None:
    Event.objects.record(kind, agency=package.agency, acting_user=acting_user, about=package, **data)
