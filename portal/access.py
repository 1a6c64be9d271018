"""The one place that turns a request into a scoped object, or 404. Foreign and nonexistent look the same."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, wraps
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from allauth.account.decorators import reauthentication_required
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ReauthenticationRequired
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _

from accounts.customer_list import WAITING_STATES
from accounts.models import (
    Agency,
    Brand,
    Campaign,
    Customer,
    Finding,
    Host,
    Membership,
    Package,
    Subaccount,
    User,
    VendorAccount,
)

View = Callable[..., HttpResponse]
RECOVERY_CODES = Authenticator.Type.RECOVERY_CODES


class PersonRequest(HttpRequest):
    """A request on an agency's host (or the platform's) by somebody who is signed in."""

    agency: Agency
    reference: str
    user: User


def agency_of(request: HttpRequest) -> Agency | None:
    """The agency whose host this is; None on the platform host."""
    return getattr(request, "agency", None)


def host_for(name: str) -> Host | None:
    """The host of exactly that name, with its agency and brand, in one statement."""
    return Host.objects.serving(name)


def agency_url(agency: Agency | None, path: str) -> str:
    """An absolute link to a path of an agency (or of the platform), on its canonical host."""
    host = agency.canonical_host if agency else settings.PLATFORM_HOST
    port = "" if settings.IS_PRODUCTION else f":{settings.PORT}"
    return f"{settings.LINK_SCHEME}://{host}{port}{path}"


# -- who ---------------------------------------------------------------------------------------------------------


def _private(view: View) -> View:
    """Nothing that a signed-in person sees is kept by a browser or a proxy."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        patch_cache_control(response, no_store=True, private=True)
        return response

    return wrapped


def person_required(view: View) -> View:
    """Anybody who is signed in on this host."""
    return _private(login_required(view))


ANY_STAFF = ("owner", "admin", "support", "analyst")
SUPPORTERS = ("owner", "admin", "support")  # look after customers
MANAGERS = ("owner", "admin")  # also run packages, brand and staff
OWNERS = ("owner",)  # also hold the keys


def staff_required(*roles: str) -> Callable[[View], View]:
    """Staff of this agency in one of these roles; other staff read that they may not (403), everybody else 404."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapped(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if agency_of(request) is None or not request.user.staff_role:
                raise Http404
            if request.user.staff_role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return person_required(wrapped)

    return decorate


def operator_required(view: View) -> View:
    """Operators, on the platform host; everybody else reads 404."""

    @wraps(view)
    def wrapped(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if agency_of(request) is not None or not request.user.is_operator:
            raise Http404
        return view(request, *args, **kwargs)

    return person_required(wrapped)


def recent_sign_in_required(view: View) -> View:
    """Who is signed in and typed their password or code a short while ago; others do it now, and come back.

    What a POST that came too late carried is dropped, not kept in the session as allauth would (it may be a
    secret): the page comes back with its form, so every such view answers GET.
    """
    guarded = reauthentication_required(view)

    @wraps(view)
    def wrapped(request: PersonRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return guarded(request, *args, **kwargs)
        except ReauthenticationRequired:
            if request.method == "POST":
                messages.info(
                    request,
                    _("Nothing was done yet, and nothing of it was kept: please type or choose it again afterwards."),
                )
            return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")

    return person_required(wrapped)


def keep_session(request: HttpRequest, person: User) -> None:
    """Lets the session that asked go on where a change ended all sessions of its person."""
    person.refresh_from_db(fields=["session_generation"])
    if request.user.is_authenticated:
        update_session_auth_hash(request, person)  # of anybody else it renews no more than the key


_ANY_KEY = UUID(int=0)


def person_of_session(pk: UUID) -> User | None:
    """Whom a session belongs to, with what every page needs of them, in one statement.

    `has_second_factor`, `customer_count`, and for staff `open_attention`: how many customers wait for a person, and
    how many differences from the vendor's list.
    """
    sql, parameters = _statement_about_person(connection.vendor)
    any_key, key = (User._meta.pk.get_db_prep_value(value, connection) for value in (_ANY_KEY, pk))
    rows = User.objects.raw(sql, [key if value == any_key else value for value in parameters])
    return next(iter(rows), None)


@cache
def _statement_about_person(vendor: str) -> tuple[str, tuple[object, ...]]:
    """Its SQL and parameters on that kind of database, for any person: every page asks, and writing it anew each time
    takes several times as long as running it."""
    sql, parameters = _people_with_what_pages_need().filter(pk=_ANY_KEY).query.sql_with_params()
    return sql, parameters


def _people_with_what_pages_need() -> QuerySet[User]:
    waiting = (
        Subaccount.objects.for_agency(OuterRef("agency"))
        .filter(state__in=WAITING_STATES, dismissed_at=None)
        .order_by()
        .values("agency")
        .annotate(number=Count("pk"))
        .values("number")
    )
    findings = (
        Finding.objects.for_agency(OuterRef("agency"))
        .to_decide()
        .order_by()
        .values("agency")
        .annotate(number=Count("pk"))
        .values("number")
    )
    customers = (
        Membership.objects.for_agency(OuterRef("agency"))
        .filter(person=OuterRef("pk"), suspended_at=None, customer__closed_at=None)
        .order_by()
        .values("person")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return User.objects.annotate(
        has_second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk")).exclude(type=RECOVERY_CODES)),
        customer_count=Coalesce(Subquery(customers), 0),
        open_attention=Case(
            When(~Q(staff_role=""), then=Coalesce(Subquery(waiting), 0) + Coalesce(Subquery(findings), 0)),
            default=0,
        ),
    )


def person_who_signs_in(login_key: str) -> User | None:
    """The person with that login name; `is_proven`: whether a mailbox of theirs is."""
    proven = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    return User.objects.annotate(is_proven=Exists(proven)).filter(username=login_key).first()


def person_who_is_waited_for(pk: UUID) -> User | None:
    """Who has begun to sign in, or to choose a new password, as long as they may."""
    return User.objects.filter(pk=pk, is_active=True).first()


# -- what --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Where a member stands: the customer, what they may do there, the subaccount and its campaigns."""

    membership: Membership
    customer: Customer
    subaccount: Subaccount
    vendor_account: VendorAccount
    campaigns: list[Campaign] = field(default_factory=list)

    @property
    def state(self) -> str:
        """What `data-state` says: the subaccount's state, or `paused` while the agency has paused the customer."""
        return "paused" if self.is_paused else str(self.subaccount.state)

    @property
    def is_paused(self) -> bool:
        return bool(self.customer.paused_at and not self.customer.closed_at)


def place_or_404(request: PersonRequest, customer: UUID) -> Place:
    """The customer as this person is a member of it, in one statement: the membership with all that hangs on
    it, once per campaign."""
    rows = list(
        Membership.objects.for_agency(request.agency)
        .filter(person=request.user, customer__public_id=customer, suspended_at=None)
        .select_related("customer__package", "customer__subaccount__vendor_account__active_credential")
        .annotate(
            campaign_id=F("customer__subaccount__campaigns__vendor_id"),
            campaign_name=F("customer__subaccount__campaigns__name"),
            campaign_code=F("customer__subaccount__campaigns__code"),
            campaign_url=F("customer__subaccount__campaigns__url"),
            campaign_status=F("customer__subaccount__campaigns__status"),
        )
        .order_by("customer__subaccount__campaigns__pk")
    )
    if not rows:
        raise Http404
    membership = rows[0]
    subaccount = membership.customer.subaccount
    membership.customer.agency = subaccount.agency = request.agency
    return Place(
        membership=membership,
        customer=membership.customer,
        subaccount=subaccount,
        vendor_account=subaccount.vendor_account,
        campaigns=[
            Campaign(
                subaccount=subaccount,
                vendor_id=row.campaign_id,
                name=row.campaign_name,
                code=row.campaign_code,
                url=row.campaign_url,
                status=row.campaign_status,
            )
            for row in rows
            if row.campaign_id is not None
        ],
    )


def customers_of_person(request: PersonRequest) -> list[Customer]:
    """The customers this person is a member of; closed ones only if there is no other."""
    found = list(
        Customer.objects.for_agency(request.agency)
        .filter(memberships__person=request.user, memberships__suspended_at=None)
        .select_related("subaccount")
        .order_by("company_name", "pk")
    )
    return [customer for customer in found if not customer.closed_at] or found


def belongs_somewhere(person: User) -> bool:
    """Whether this person is a member of a customer that is open, suspended there or not."""
    return bool(person.memberships.filter(customer__closed_at=None).exists())


def packages_on_offer(agency: Agency) -> list[Package]:
    return list(Package.objects.for_agency(agency).on_offer())


def packages_for_staff(request: PersonRequest) -> list[Package]:
    """All packages of the agency in their order, each with the number of customers who have it (`holders`)."""
    open_customers = Count("customers", filter=Q(customers__closed_at=None))
    return list(Package.objects.for_agency(request.agency).annotate(holders=open_customers).order_by("position", "pk"))


def package_or_404(request: PersonRequest, package: UUID) -> Package:
    """The agency's package of that id, with `holders` as in the list."""
    open_customers = Count("customers", filter=Q(customers__closed_at=None))
    found = (
        Package.objects.for_agency(request.agency).filter(public_id=package).annotate(holders=open_customers).first()
    )
    if found is None:
        raise Http404
    found.agency = request.agency
    return found


def brand_or_404(request: HttpRequest, digest: str) -> Brand:
    """The brand of this host's agency, if the address names its current state."""
    agency = agency_of(request)
    brand = getattr(agency, "brand", None) if agency else None
    if brand is None or brand.hash != digest:
        raise Http404
    return brand


def customer_for_mail(pk: int, agency: Agency | None) -> Customer | None:
    """The customer that a mail job of this agency is about; None if it is gone or another agency's."""
    if agency is None:
        return None
    customer = Customer.objects.for_agency(agency).select_related("subaccount", "agency").filter(pk=pk).first()
    if customer is not None:
        agency.stopped_at = customer.agency.stopped_at  # it was read when the work was claimed
        customer.agency = agency
    return customer


def owner_addresses(customer: Customer) -> list[str]:
    """Where mails to a customer go: to its owners of today, longest first; before there is one, to its own address."""
    owners = Membership.objects.for_agency(customer.agency).filter(
        customer=customer, role=Membership.Role.OWNER, suspended_at=None, person__is_active=True
    )
    return list(owners.order_by("created_at", "pk").values_list("person__email", flat=True)) or [customer.email]
