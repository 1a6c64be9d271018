"""Every field of every model as somebody could send it along, with a value of its type that would do harm."""

from django.apps import apps
from django.db import models

from tests.access.world import World

EVIL_TEXT = "evil-canary"
EVIL_MOMENT = "2001-01-01T00:00:00Z"
EVIL_NUMBER = "7777"
# Fields of requests, not of models, that pages read by these names.
NOT_OF_MODELS = {"login", "password1", "code", "csrfmiddlewaretoken", "next"}


def fields_of_all_models(world: World) -> dict[str, str]:
    """Name → value, for names and for columns (`agency` and `agency_id`); keys are those of another agency."""
    stranger = world.things["foreign"]
    keys = {
        "Agency": stranger.agency.pk,
        "Customer": stranger.customer.pk,
        "User": stranger.colleague.pk,
        "Package": stranger.package.pk,
        "VendorAccount": stranger.customer.subaccount.vendor_account_id,
        "Subaccount": stranger.customer.subaccount.pk,
    }
    found: dict[str, str] = {"pk": str(stranger.customer.pk), "acting_user": str(stranger.colleague.pk)}
    for model in apps.get_models():
        for field in model._meta.concrete_fields:
            for name in {field.name, field.attname} - NOT_OF_MODELS:
                found[name] = _value(field, keys)
    return found


def _value(field: models.Field, keys: dict[str, object]) -> str:
    if field.is_relation:
        return str(keys.get(field.related_model.__name__, EVIL_NUMBER))
    if isinstance(field, models.BooleanField):
        return "on"
    if isinstance(field, models.DateTimeField):
        return EVIL_MOMENT
    if isinstance(field, models.DateField):
        return EVIL_MOMENT[:10]
    if isinstance(field, (models.IntegerField, models.DecimalField, models.FloatField)):
        return EVIL_NUMBER
    if isinstance(field, models.UUIDField):
        return "cafe0000-cafe-4000-8000-00000000cafe"
    return EVIL_TEXT
