"""Django's admin for operators: read-only, on the platform host, behind allauth's sign-in and second factor."""

from typing import Any

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import include, path

from accounts.models import Agency, Customer, Event, Host, Job, Package, ScopedQuerySet, Subaccount, User, VendorAccount


class OperatorSite(admin.AdminSite):
    """The index, lists and single rows; nothing that adds, changes, deletes or searches by script."""

    site_header = site_title = "Operator"
    site_url = None
    index_template = app_index_template = "operator/index.html"

    def get_urls(self) -> list[Any]:
        shown = [
            path("", self.admin_view(self.index), name="index"),
            path("login/", self.login, name="login"),
            path("logout/", self.logout, name="logout"),
            path("all/<slug:app_label>/", self.admin_view(self.app_index), name="app_list"),
        ]
        for model, model_admin in self._registry.items():
            shown.append(path(f"{model._meta.model_name}/", include(model_admin.urls)))
        return shown

    def has_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and request.user.is_operator


class ReadOnly(admin.ModelAdmin):
    """Shows rows over all agencies and changes none."""

    show_full_result_count = False
    change_form_template = "operator/row.html"
    change_list_template = "operator/list.html"

    def get_urls(self) -> list[Any]:
        name = f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("", self.admin_site.admin_view(self.changelist_view), name=f"{name}_changelist"),
            path("<path:object_id>/", self.admin_site.admin_view(self.change_view), name=f"{name}_change"),
        ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """All columns, so that no form with choices over all agencies is built."""
        return [field.name for field in self.opts.fields if field.name not in (self.exclude or ())]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return self.get_fields(request, obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        rows = self.model._default_manager.all()
        return rows.across_agencies() if isinstance(rows, ScopedQuerySet) else rows

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        """Only the filters that the list offers: any other could tell, letter by letter, what is not shown."""
        column, _, how = lookup.partition("__")
        return column in self.list_filter and how in ("", "exact", "in", "isnull")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return operator_site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return operator_site.has_permission(request)


operator_site = OperatorSite(name="admin")
operator_site.login = secure_admin_login(operator_site.login)


@admin.register(Agency, site=operator_site)
class AgencyAdmin(ReadOnly):
    list_display = ["name", "product_name", "created_at", "stopped_at"]


@admin.register(Host, site=operator_site)
class HostAdmin(ReadOnly):
    list_display = ["name", "agency", "is_canonical"]


@admin.register(VendorAccount, site=operator_site)
class VendorAccountAdmin(ReadOnly):
    list_display = ["agency", "trouble", "trouble_since", "probe_at", "throttled_until"]
    list_select_related = ["agency"]


@admin.register(Package, site=operator_site)
class PackageAdmin(ReadOnly):
    list_display = ["name", "agency", "vendor_package_id", "price", "currency", "trial_days", "is_visible"]
    list_select_related = ["agency"]


@admin.register(Customer, site=operator_site)
class CustomerAdmin(ReadOnly):
    list_display = ["company_name", "agency", "created_at", "paused_at", "closed_at"]
    list_select_related = ["agency"]


@admin.register(Subaccount, site=operator_site)
class SubaccountAdmin(ReadOnly):
    list_display = ["public_id", "agency", "state", "cause", "attempts", "run_at", "vendor_id"]
    list_filter = ["state", "cause"]
    list_select_related = ["agency"]
    exclude = ["sealed_keys"]


@admin.register(Job, site=operator_site)
class JobAdmin(ReadOnly):
    list_display = ["id", "kind", "agency", "run_at", "attempts", "done_at", "last_error"]
    list_filter = ["kind"]
    list_select_related = ["agency"]
    exclude = ["sealed_secret"]


@admin.register(Event, site=operator_site)
class EventAdmin(ReadOnly):
    list_display = ["at", "kind", "outcome", "agency", "actor_id", "customer_id", "request"]
    list_filter = ["kind"]
    list_select_related = ["agency"]


@admin.register(User, site=operator_site)
class UserAdmin(ReadOnly):
    list_display = ["email", "agency", "staff_role", "is_active", "last_login"]
    list_select_related = ["agency"]
    exclude = ["password", "session_generation"]
