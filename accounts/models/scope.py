"""The guard that makes a query without an agency an error instead of a leak."""

from collections.abc import Iterator
from typing import Any, Self, TypeVar

from django.db import models

_Model = TypeVar("_Model", bound=models.Model, covariant=True)


class UnscopedQuery(Exception):
    """A query over agency-owned rows named no agency."""


class ScopedQuerySet(models.QuerySet[_Model]):
    """Rows that belong to an agency. Reads, updates and deletes refuse until an agency is named.

    `for_agency` names it. Following a relation from an object that was itself fetched within an agency
    (`agency.customers`, `subaccount.campaigns`) counts as naming one. `across_agencies` is for the worker,
    which serves them all, and is allowed in few places (an architecture test lists them).
    """

    agency_path = "agency"
    _is_scoped = False

    def for_agency(self, agency: models.Model | None) -> Self:
        """None is the platform: rows that belong to no agency."""
        scoped = self.filter(**{self.agency_path: agency})
        scoped._is_scoped = True
        return scoped

    def across_agencies(self) -> Self:
        scoped = self.all()
        scoped._is_scoped = True
        return scoped

    def _refuse_unscoped(self) -> None:
        hints: dict[str, Any] = self._hints  # type: ignore[attr-defined]  # set by related managers
        if not (self._is_scoped or "instance" in hints):
            raise UnscopedQuery(f"{self.model.__name__}: call for_agency() first.")

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]  # Django's own hook, unknown to the stubs
        clone._is_scoped = self._is_scoped
        return clone

    def _fetch_all(self) -> None:
        self._refuse_unscoped()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        self._refuse_unscoped()
        return super().iterator(*args, **kwargs)

    def count(self) -> int:
        self._refuse_unscoped()
        return super().count()

    def exists(self) -> bool:
        self._refuse_unscoped()
        return super().exists()

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._refuse_unscoped()
        return super().aggregate(*args, **kwargs)

    def update(self, **kwargs: Any) -> int:
        self._refuse_unscoped()
        return super().update(**kwargs)

    def delete(self) -> tuple[int, dict[str, int]]:
        self._refuse_unscoped()
        return super().delete()
