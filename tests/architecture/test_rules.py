"""The rules that hold the project together, checked on its own text."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

from accounts.models import Agency, Customer, Event, ScopedQuerySet, UnscopedQuery

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("portal", "accounts", "coupontools_api")
SOURCES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)
LINT_IMPORTS = Path(sys.executable).parent / "lint-imports"

# What breaks each contract, and the file it is planted in.
VIOLATIONS = {
    "packages": ("accounts/panel.py", "import portal.wording"),
    "accounts": ("accounts/states.py", "import accounts.customers"),
    "one-vendor": ("accounts/people.py", "import coupontools_api.client"),
    "client-knows-no-framework": ("coupontools_api/replies.py", "import django"),
    "sandbox-apart": ("coupontools_api/sandbox/shapes.py", "import coupontools_api.errors"),
    "client-apart": ("coupontools_api/client.py", "import coupontools_api.sandbox"),
    "staff-doors-apart": ("portal/views/customers.py", "import accounts.staff_panel"),
    "views-hold-no-query": ("portal/views/console/customers.py", "import accounts.models"),
}


def contracts() -> list[str]:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    return [contract["id"] for contract in settings["tool"]["importlinter"]["contracts"]]


def test_every_contract_has_a_violation_to_catch():
    assert sorted(contracts()) == sorted(VIOLATIONS)


@pytest.mark.parametrize("contract", VIOLATIONS)
def test_a_planted_violation_is_caught(contract: str, tmp_path: Path):
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    name, line = VIOLATIONS[contract]
    file = tmp_path / name
    file.write_text(f"{file.read_text()}\n{line}\n")

    done = subprocess.run(
        [LINT_IMPORTS, "--no-cache", "--contract", contract], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 1, done.stdout
    assert "BROKEN" in done.stdout


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_file_is_longer_than_a_reader_likes(path: Path):
    assert len(path.read_text().splitlines()) <= 410


def test_lock_files_name_no_host():
    for lock in ROOT.glob("requirements*.txt"):
        assert "://" not in lock.read_text()


def test_rows_of_an_agency_are_read_across_agencies_in_few_places():
    """The worker serves them all; operators see them all. Nobody else."""
    found = {str(path.relative_to(ROOT)) for path in SOURCES if re.search(r"\.across_agencies\(\)", path.read_text())}

    assert found == {
        "accounts/claimed.py",
        "accounts/claims.py",
        "accounts/jobs.py",
        "accounts/mails.py",
        "accounts/outages.py",
        "accounts/personal_data.py",
        "accounts/reconcile.py",
        "accounts/refreshes.py",
        "accounts/retention.py",
        "accounts/sealing.py",
        "accounts/states.py",
        "portal/access_operator.py",
        "portal/admin.py",
    }


def test_every_model_with_an_agency_is_scoped():
    """An agency-owned model without the guard would be a query that can forget its agency."""
    platform_wide = {"Agency", "Host", "Brand", "VendorAccount", "Credential", "User", "Worker"}
    for model in apps.get_app_config("accounts").get_models():
        if model.__name__ not in platform_wide:
            assert isinstance(model._default_manager.all(), ScopedQuerySet), model.__name__


@pytest.mark.django_db
@pytest.mark.parametrize(
    "query",
    [
        lambda: list(Customer.objects.all()),
        lambda: Customer.objects.filter(company_name="x").first(),
        lambda: Customer.objects.get(pk=1),
        lambda: Customer.objects.count(),
        lambda: Customer.objects.filter(pk=1).exists(),
        lambda: Customer.objects.filter(pk=1).update(company_name="x"),
        lambda: Customer.objects.filter(pk=1).delete(),
        lambda: Customer.objects.aggregate(models.Count("pk")),
        lambda: list(Customer.objects.values_list("pk")),
        lambda: list(Customer.objects.all().iterator()),
        lambda: Customer.objects.order_by("pk")[0],
    ],
)
def test_a_query_that_names_no_agency_is_refused(query):
    with pytest.raises(UnscopedQuery):
        query()


@pytest.mark.django_db
def test_a_relation_of_an_object_counts_as_naming_the_agency(north: Agency, bos_company: Customer):
    assert north.customers.get() == bos_company
    assert bos_company.memberships.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.save(),
        lambda event: event.delete(),
        lambda event: Event.objects.across_agencies().update(kind="x"),
        lambda event: Event.objects.across_agencies().filter(pk=event.pk).delete(),
        lambda event: event.agency.events.all().delete(),
        lambda event: event.agency.events.update(kind="x"),
        lambda event: Event.objects.across_agencies().bulk_update([event], ["kind"]),
        lambda event: Event.objects.bulk_create([event], ignore_conflicts=True),
        lambda event: Event.objects.bulk_create([event], None, True),
        lambda event: Event.objects.bulk_create(
            [event], update_conflicts=True, update_fields=["kind"], unique_fields=["id"]
        ),
        lambda event: Event.objects.across_agencies().update_or_create(pk=event.pk, defaults={"kind": "x"}),
    ],
)
def test_events_cannot_be_changed_or_deleted(change: Callable[[Event], object], north: Agency):
    event = Event.objects.record("something", agency=north)

    with pytest.raises(TypeError):
        change(event)
    assert Event.objects.for_agency(north).get(pk=event.pk).kind == "something"


def test_nothing_takes_events_along_when_it_goes():
    kinds = {field.name: field.remote_field.on_delete for field in Event._meta.fields if field.remote_field}

    assert kinds == {"agency": models.PROTECT}


def test_no_code_goes_round_the_events_own_guard():
    """Past the queryset there is only SQL, and the two managers that know no guard."""
    around = re.compile(r"accounts_event|_base_manager|_raw_delete|models\.QuerySet\(|RawSQL")
    found = {str(path.relative_to(ROOT)) for path in SOURCES if around.search(path.read_text())}
    keeps_sql = {str(path.relative_to(ROOT)) for path in SOURCES if ".raw(" in path.read_text()}
    asks_in_sql = {str(path.relative_to(ROOT)) for path in SOURCES if ".cursor()" in path.read_text()}

    assert found == set()
    assert keeps_sql == {"portal/access.py"}  # the SELECT that Django wrote for the person of a session
    # SELECT 1, for /readyz; the server's own settings, its clock, and its NOTIFY.
    assert asks_in_sql == {"portal/middleware.py", "accounts/checks.py", "accounts/clock.py", "accounts/bell.py"}


def test_no_import_hides_inside_a_function():
    hidden = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                hidden += [
                    f"{path.relative_to(ROOT)}: {node.name}"
                    for inner in ast.walk(node)
                    if isinstance(inner, ast.Import | ast.ImportFrom)
                ]

    # Django wants both `ready` imports there; the others must come after django.setup().
    assert sorted(set(hidden)) == [
        "accounts/apps.py: ready",
        "portal/apps.py: ready",
        "portal/demo.py: _run",
        "portal/demo.py: welcome",
        "portal/serve.py: load_config",
        "portal/serve.py: main",
    ]


def test_the_example_settings_name_every_setting():
    asked = set(re.findall(r'(?:env(?:\.\w+)?|_needed)\(\s*"([A-Z_]+)"', (ROOT / "portal/settings.py").read_text()))
    listed = set(re.findall(r"^#?\s?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))

    assert asked - listed - {"PORTAL_ENV_FILE"} == set()


def test_no_template_takes_text_for_markup():
    """What is markup says so where it is made (format_html); a template never decides it."""
    trusting = re.compile(r"\|\s*(safe|safeseq)\b|autoescape\s+off")
    found = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "templates").rglob("*.html")
        if trusting.search(path.read_text())
    ]

    assert found == []
