from django.db import migrations
from django.db.models import Case, CharField, F, Max, Min, Value, When
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce

BATCH = 5_000


def move_into_columns(apps, schema_editor):
    """How events of the past ended, and what they were done to: the person they name, the customer, or the agency.

    In batches, each its own transaction; run again, it writes the same.
    """
    events = apps.get_model("accounts", "Event").objects
    keys = events.aggregate(first=Min("pk"), last=Max("pk"))
    if keys["first"] is None:
        return
    person = KeyTextTransform("person", "data")
    for start in range(keys["first"], keys["last"] + 1, BATCH):
        events.filter(pk__gte=start, pk__lt=start + BATCH).update(
            outcome=Coalesce(KeyTextTransform("outcome", "data"), Value("done"), output_field=CharField()),
            object_type=Case(
                When(data__has_key="person", then=Value("person")),
                When(customer_id__isnull=False, then=Value("customer")),
                When(agency__isnull=False, then=Value("agency")),
                default=Value(""),
            ),
            object_id=Case(
                When(data__has_key="person", then=person),
                When(customer_id__isnull=False, then=Cast("customer_id", CharField())),
                default=F("object_id"),
                output_field=CharField(),
            ),
        )
    for agency in apps.get_model("accounts", "Agency").objects.values_list("pk", flat=True):
        events.filter(agency=agency, object_type="agency").update(object_id=str(agency))


class Migration(migrations.Migration):

    atomic = False  # a batch at a time: nobody waits for the whole table

    dependencies = [
        ('accounts', '0003_audit'),
    ]

    operations = [migrations.RunPython(move_into_columns, migrations.RunPython.noop, atomic=False)]
