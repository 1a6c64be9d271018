"""One customer's story, page by page."""

import pytest
from django.utils import timezone

from accounts import timeline
from accounts.models import Customer, Note
from accounts.timeline import Source

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("only", [(), (Source.NOTE,)])
def test_pages_leave_nothing_out_where_much_happened_at_one_moment(only: tuple[Source, ...], bos_company: Customer):
    moment = timezone.now()
    Note.objects.bulk_create(
        Note(agency=bos_company.agency, customer=bos_company, text=f"note {number}", at=moment) for number in range(95)
    )

    seen, before, shown = [], None, 0
    for _ in range(9):
        page = timeline.page(bos_company, only=only, before=before, shown=shown)
        seen += [entry.reason for entry in page.entries if entry.source is Source.NOTE]
        before, shown = page.next, page.shown
        if before is None:
            break

    assert sorted(seen) == sorted(f"note {number}" for number in range(95))
