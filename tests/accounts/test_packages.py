"""What an agency offers, in which order, and what each change leaves in the audit."""

import json
from typing import Any

import pytest
from django.utils import timezone

from accounts import packages
from accounts.errors import NotAllowed
from accounts.models import Agency, Customer, Event, Package, User

pytestmark = pytest.mark.django_db


def names(agency: Agency) -> list[str]:
    return [package.name for package in Package.objects.for_agency(agency).on_offer()]


def events(agency: Agency) -> list[tuple[str, dict[str, Any]]]:
    found = Event.objects.for_agency(agency).filter(kind__startswith="package.").order_by("pk")
    return [(event.kind, event.data) for event in found]


def test_a_new_package_stands_at_the_end(north: Agency, ada: User):
    packages.create(
        agency=north, acting_user=ada, name="Chain", vendor_package_id="pac_9", points=["50 shops"], price=None
    )

    assert names(north) == ["Starter", "Plus", "Chain"]
    assert events(north) == [("package.created", {"vendor_package_id": "pac_9"})]


def test_a_change_is_recorded_by_the_names_of_its_fields_only(north: Agency, ada: User, package: Package):
    packages.change(package, acting_user=ada, name="Secret offer", text="Only for Bo", trial_days=package.trial_days)

    [(kind, data)] = events(north)
    assert kind == "package.changed"
    assert Event.objects.for_agency(north).latest("pk").object_id == str(package.pk)
    assert data == {"changed": ["name", "text"]}
    assert "Secret offer" not in json.dumps(data)


def test_saving_what_is_there_already_writes_nothing(north: Agency, ada: User, package: Package):
    packages.change(package, acting_user=ada, name=package.name)

    assert events(north) == []


def test_another_vendor_package_clears_the_refusal_and_leaves_customers_alone(
    north: Agency, ada: User, package: Package, bos_company: Customer
):
    Package.objects.for_agency(north).filter(pk=package.pk).update(refused_at=timezone.now())

    packages.change(package, acting_user=ada, vendor_package_id="pac_77")

    package.refresh_from_db()
    assert (package.vendor_package_id, package.refused_at) == ("pac_77", None)
    assert events(north)[0][1] | {"package": ""} == {
        "package": "",
        "changed": ["vendor_package_id"],
        "was": "pac_1",
        "vendor_package_id": "pac_77",
    }
    bos_company.refresh_from_db()
    assert bos_company.package_id == package.pk


def test_one_package_is_recommended_at_a_time(north: Agency, ada: User, package: Package):
    plus = Package.objects.for_agency(north).get(name="Plus")

    packages.change(package, acting_user=ada, is_recommended=True)

    assert [p.name for p in Package.objects.for_agency(north).filter(is_recommended=True)] == ["Starter"]
    assert events(north)[0][1]["no_longer_recommended"] == [str(plus.public_id)]


def test_an_unknown_field_is_an_error_of_the_caller(ada: User, package: Package):
    with pytest.raises(ValueError, match="archived_at"):
        packages.change(package, acting_user=ada, archived_at=None)


def test_an_archived_package_stays_on_its_customers_and_comes_back_at_the_end(
    north: Agency, ada: User, package: Package, bos_company: Customer
):
    packages.archive(package, acting_user=ada)
    with pytest.raises(NotAllowed):
        packages.archive(package, acting_user=ada)

    assert names(north) == ["Plus"]
    bos_company.refresh_from_db()
    assert bos_company.package_id == package.pk

    packages.restore(package, acting_user=ada)
    with pytest.raises(NotAllowed):
        packages.restore(package, acting_user=ada)

    assert names(north) == ["Plus", "Starter"]
    assert [kind for kind, _ in events(north)] == ["package.archived", "package.restored"]


def test_packages_move_by_one_place_and_stop_at_the_ends(north: Agency, ada: User, package: Package):
    packages.move(package, up=True, acting_user=ada)
    assert names(north) == ["Starter", "Plus"]
    assert events(north) == []

    packages.move(package, up=False, acting_user=ada)
    assert names(north) == ["Plus", "Starter"]
    assert events(north) == [("package.moved", {"position": 1})]


def test_packages_of_one_place_still_move(north: Agency, ada: User, package: Package):
    Package.objects.for_agency(north).update(position=0)

    packages.move(package, up=False, acting_user=ada)

    assert names(north) == ["Plus", "Starter"]


def test_another_agencys_order_is_left_alone(north: Agency, south: Agency, ada: User, package: Package):
    packages.move(package, up=False, acting_user=ada)

    assert names(south) == ["Starter", "Plus"]
