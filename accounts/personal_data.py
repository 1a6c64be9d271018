"""Which columns hold something of somebody, what becomes of it at erasure, and how long each table's rows are kept.

Every column of every table stands here, in one of three groups; a column that nobody put here fails the suite.
`docs/personal-data.md` is written from this (`./run manage describe_personal_data`).
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.db.models.functions import Lower

from accounts.models import (
    Agency,
    Campaign,
    Customer,
    Event,
    Invitation,
    Job,
    Membership,
    Note,
    SearchWord,
    State,
    Subaccount,
    User,
    ViewAs,
)

Rows = Callable[[User], QuerySet[Any]]


class Fate(StrEnum):
    """What erasure does with a value."""

    DELETED = "deleted with its row"
    BLANKED = "blanked"
    REPLACED = "replaced"


@dataclass(frozen=True)
class Table:
    """One table and its columns: `plain` ones say nothing of anybody, `never_shown` ones hold secrets.

    `rows` finds a person's rows for their export; `of_staff` marks words among staff, which only staff hand out.
    `shows` takes out of a secret column what the person typed themselves.
    """

    kept: str
    plain: str = ""
    never_shown: str = ""
    personal: Mapping[str, Fate] = field(default_factory=dict)
    rows: Rows | None = None
    of_staff: bool = False
    shows: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """Every column that stands here."""
        return [*self.plain.split(), *self.never_shown.split(), *self.personal]


def addresses_of(person: User) -> list[str]:
    """Every address that the person signs in with, or is about to, and those at which they were once reached here.

    Not one that somebody else here has by now: what goes there is theirs.
    """
    own = EmailAddress.objects.filter(user=person).values_list("email", flat=True)
    found = {person.email.lower(), *(email.lower() for email in own)}
    if person.agency is not None:
        invited = Invitation.objects.for_agency(person.agency).filter(accepted_by=person)
        contact = Customer.objects.for_agency(person.agency).filter(contact=person)
        former = {email.lower() for rows in (invited, contact) for email in rows.values_list("email", flat=True)}
        found |= former - _taken(former, person.agency)
    return sorted(found - {""})


def _taken(addresses: Collection[str], agency: Agency) -> set[str]:
    """Those of the addresses that somebody at this agency signs in with by now, or has proven to be theirs."""
    signs_in = User.objects.filter(agency=agency, email__in=addresses)
    proven = EmailAddress.objects.filter(user__agency=agency, email__in=addresses, verified=True)
    found = signs_in.values_list("email", flat=True).union(proven.values_list("email", flat=True), all=True)
    return {email.lower() for email in found}


def proven_addresses_of(person: User) -> list[str]:
    """The addresses that are the person's for certain: any other one may be a stranger's, typed by mistake or worse."""
    proven = EmailAddress.objects.filter(user=person, verified=True)
    return sorted({email.lower() for email in proven.values_list("email", flat=True)})


def invitations_to(person: User) -> QuerySet[Invitation]:
    return Invitation.objects.for_agency(person.agency).filter(email__in=addresses_of(person))


def jobs_to(person: User) -> QuerySet[Job]:
    """Mails to the person, or that name one of their addresses; also to one that they have typed and not proven yet."""
    addresses = addresses_of(person)
    named = Q(payload__asked_by=str(person.pk))
    for key in ("to", "from_email", "to_email", "deleted_email"):
        named |= Q(**{f"payload__{key}__in": addresses})
    return Job.objects.for_agency(person.agency).filter(named)


def notes_about(person: User) -> QuerySet[Note]:
    """Reasons that staff gave for what they did to the person."""
    about = Q(event__object_type="person", event__object_id=str(person.pk)) | Q(event__on_behalf_of=person.pk)
    return Note.objects.for_agency(person.agency).filter(about)


def owned_by(person: User) -> QuerySet[Customer]:
    """The customers whose data is the person's as well: its owner's or contact's who is not suspended."""
    theirs = Q(role=Membership.Role.OWNER) | Q(customer__contact=person)
    own = Membership.objects.for_agency(person.agency).filter(theirs, person=person, suspended_at=None)
    return Customer.objects.for_agency(person.agency).filter(pk__in=own.values("customer"))


def in_the_name_of(person: User) -> QuerySet[Customer]:
    """The customers that hold the person's name or address, also those that they do not belong to: a co-owner took
    them out, they never joined what staff made for them, or what they signed up for was withdrawn.
    """
    rows = Customer.objects.for_agency(person.agency).filter(erased_at=None)
    proven = proven_addresses_of(person)
    if not proven:
        return rows.filter(contact=person)
    rows = rows.alias(address=Lower("email"), asked_with=Lower("subaccount__email"))
    return rows.filter(Q(contact=person) | Q(address__in=proven) | Q(asked_with__in=proven))


def _customers(person: User) -> QuerySet[Customer]:
    """The person's customers, and the rows that name them. Not what is in another's name by now, at an address that
    was handed on: it would tell who that is.
    """
    named = in_the_name_of(person).filter(Q(contact=person) | Q(contact=None))
    rows = Customer.objects.for_agency(person.agency)
    return rows.filter(Q(pk__in=owned_by(person).values("pk")) | Q(pk__in=named.values("pk")))


def never_proven() -> QuerySet[User]:
    """People who signed up, proved no address, and have nothing here of which the vendor or others may know.

    One question for the worker's list and for the door that erases them: the list is a batch, and a row that the door
    refuses would stand in it for ever.
    """
    proven = EmailAddress.objects.filter(user=OuterRef("pk"), verified=True)
    customers = Customer.objects.across_agencies()
    own = customers.filter(memberships__person=OuterRef("pk"))
    named = customers.filter(contact=OuterRef("pk"), erased_at=None)
    rows = User.objects.filter(agency__isnull=False, staff_role="")
    return rows.filter(~Exists(proven), ~Exists(_more_than_a_sign_up(own)), ~Exists(_more_than_a_sign_up(named)))


def _more_than_a_sign_up(customers: QuerySet[Customer]) -> QuerySet[Customer]:
    """Those that were proven once, were asked for, or have other people than the one whom the outer query is about."""
    requested = f"subaccount.{State.REQUESTED.value}"
    was_in_the_queue = Event.objects.across_agencies().filter(customer_id=OuterRef("pk"), kind=requested)
    people = Membership.objects.across_agencies().filter(customer=OuterRef("pk"))
    others = people.exclude(person=OuterRef(OuterRef("pk")))
    # Closed by staff, it is what it was before: a sign-up that nobody proved.
    went_on = ~Q(subaccount__state__in=(State.AWAITING_EMAIL, State.CLOSED)) | ~Q(subaccount__vendor_id="")
    went_on |= Q(subaccount__verified_at__isnull=False)
    return customers.filter(went_on | Exists(was_in_the_queue) | Exists(others))


def events_of(person: User) -> QuerySet[Event]:
    """An operator's are those of what they did to agencies, too."""
    named = Q(actor_id=person.pk) | Q(on_behalf_of=person.pk) | Q(object_type="person", object_id=str(person.pk))
    if person.is_operator:
        return Event.objects.across_agencies().filter(named)
    return Event.objects.for_agency(person.agency).filter(named)


def _notes(person: User) -> QuerySet[Note]:
    """What staff wrote of the person's own customers and of the person, and what the person wrote."""
    if person.is_operator:
        return Note.objects.across_agencies().filter(author_id=person.pk)
    rows = Note.objects.for_agency(person.agency)
    return rows.filter(
        Q(pk__in=notes_about(person).values("pk")) | Q(customer__in=owned_by(person)) | Q(author_id=person.pk)
    )


def _views_as(person: User) -> QuerySet[ViewAs]:
    """Looks at an agency's console: the operator's own, or those as this person."""
    if person.is_operator:
        return ViewAs.objects.across_agencies().filter(operator=person)
    return ViewAs.objects.for_agency(person.agency).filter(person=person)


def _fates(fate: Fate, columns: str) -> dict[str, Fate]:
    return dict.fromkeys(columns.split(), fate)


WITH_AGENCY = "As long as the agency is here"
WITH_CUSTOMER = "As long as the customer is here; erased with it"
WITH_PERSON = "As long as the person is here; erased with them"
NOTHING_OF_PEOPLE = "Belongs to the software: holds nothing of people"

TABLES: dict[str, Table] = {
    # -- people ----------------------------------------------------------------------------------------------------
    "accounts.User": Table(
        kept="Until the person is erased; who never proves the address: RETENTION_UNVERIFIED_DAYS after signing up",
        plain="id agency_id is_active is_staff is_superuser staff_role session_generation",
        never_shown="password",
        personal=_fates(
            Fate.DELETED, "first_name last_name email username language teammate_id last_login date_joined"
        ),
        rows=lambda person: User.objects.filter(pk=person.pk),
    ),
    "account.EmailAddress": Table(
        kept=WITH_PERSON,
        plain="id user_id verified primary",
        personal=_fates(Fate.DELETED, "email"),
        rows=lambda person: EmailAddress.objects.filter(user=person),
    ),
    "account.EmailConfirmation": Table(
        kept=WITH_PERSON,
        plain="id email_address_id created sent",
        never_shown="key",
        rows=lambda person: EmailConfirmation.objects.filter(email_address__user=person),
    ),
    "mfa.Authenticator": Table(
        kept=WITH_PERSON,
        plain="id user_id type created_at last_used_at",
        never_shown="data",
        rows=lambda person: Authenticator.objects.filter(user=person),
        shows={"data": lambda data: str(data.get("name", ""))},
    ),
    "usersessions.UserSession": Table(
        kept="As long as its session",
        plain="id user_id",
        never_shown="session_key",
        personal=_fates(Fate.DELETED, "ip user_agent created_at last_seen_at data"),
        rows=lambda person: UserSession.objects.filter(user=person),
    ),
    "sessions.Session": Table(
        kept="Until it expires; all that name a person are deleted when the person is erased",
        plain="expire_date",
        never_shown="session_key session_data",
    ),
    "accounts.Membership": Table(
        kept=WITH_PERSON,
        plain="id person_id customer_id role created_at suspended_at",
        rows=lambda person: Membership.objects.for_agency(person.agency).filter(person=person),
    ),
    "accounts.Invitation": Table(
        kept="RETENTION_INVITATIONS_DAYS after it was used, was withdrawn, or ran out",
        plain="id public_id agency_id staff_role customer_id member_role invited_by_id"
        " created_at expires_at accepted_at accepted_by_id revoked_at",
        never_shown="token_hash",
        personal=_fates(Fate.DELETED, "email"),
        rows=invitations_to,
    ),
    "accounts.ViewAs": Table(
        kept="RETENTION_VIEWS_AS_DAYS after it ended",
        plain="id public_id agency_id operator_id person_id created_at expires_at opened_at ended_at",
        never_shown="token_hash",
        rows=_views_as,
    ),
    "admin.LogEntry": Table(
        kept="Nothing is ever written: the operators' rows cannot be changed",
        plain="id action_time user_id content_type_id object_id action_flag",
        personal=_fates(Fate.DELETED, "object_repr change_message"),
        rows=lambda person: LogEntry.objects.filter(user=person),
    ),
    # -- customers -------------------------------------------------------------------------------------------------
    "accounts.Customer": Table(
        kept="Until the customer is closed and erased; a sign-up that was never proven goes with its person, also if"
        " staff closed it",
        plain="id public_id agency_id contact_id country package_id terms_accepted_at terms_url created_at"
        " trial_ends_on paused_at closed_at erased_at converted_at first_sign_in_at first_launch_at last_launch_at"
        " first_campaign_at",
        personal={
            "company_name": Fate.REPLACED,
            **_fates(Fate.BLANKED, "first_name last_name email message"),
        },
        rows=_customers,
    ),
    "accounts.Subaccount": Table(
        kept="For ever: the vendor's id stays bound, so that nothing is doubled",
        plain="id run_at lease_owner lease_until attempts public_id agency_id customer_id vendor_account_id state"
        " changed_at created_at verified_at cause cause_codes first_look first_look_at expiry_date packages_sent"
        " trials_sent faults"
        " create_started_at uncertain_since had_unknown_outcome absent_looks looked_at candidates wanted_vendor_id"
        " wanted_in_spite dismissed_at late_since vendor_id bound_at refreshed_at",
        never_shown="sealed_keys",
        personal=_fates(Fate.BLANKED, "email facts"),
        rows=lambda person: Subaccount.objects.for_agency(person.agency).filter(customer__in=_customers(person)),
    ),
    "accounts.Campaign": Table(
        kept=WITH_CUSTOMER,
        plain="id subaccount_id vendor_id status seen_at",
        personal=_fates(Fate.DELETED, "name code url"),
        rows=lambda person: Campaign.objects.for_agency(person.agency).filter(
            subaccount__customer__in=owned_by(person)
        ),
    ),
    "accounts.SearchWord": Table(
        kept=WITH_CUSTOMER,
        plain="id agency_id customer_id",
        personal=_fates(Fate.DELETED, "word"),
        rows=lambda person: SearchWord.objects.for_agency(person.agency).filter(customer__in=owned_by(person)),
    ),
    "accounts.Note": Table(
        kept=f"{WITH_CUSTOMER}; a reason that is about no customer: RETENTION_REASONS_DAYS",
        plain="id public_id agency_id customer_id author_id event_id at",
        personal=_fates(Fate.DELETED, "text"),
        rows=_notes,
        of_staff=True,
    ),
    "accounts.PanelTask": Table(
        kept="For ever: ids, dates and prices only",
        plain="id public_id agency_id customer_id kind data created_at done_at",
    ),
    # -- what happened ---------------------------------------------------------------------------------------------
    "accounts.Event": Table(
        kept="For ever: ids only",
        plain="id at agency_id kind actor_id on_behalf_of customer_id object_type object_id outcome request data",
        rows=events_of,
    ),
    "accounts.Job": Table(
        kept="RETENTION_JOBS_DAYS after it was done, one that was given up after it was made; what a mail said of"
        " people goes when it is sent or given up",
        plain="id run_at lease_owner lease_until attempts agency_id customer_id kind once created_at done_at"
        " last_error",
        never_shown="sealed_secret",
        personal=_fates(Fate.DELETED, "payload"),
        rows=jobs_to,
    ),
    "accounts.Finding": Table(
        kept="RETENTION_FINDINGS_DAYS after the vendor's list no longer bore it out: ids only",
        plain="id public_id agency_id kind vendor_id subaccount_id found_at dismissed_at ended_at",
    ),
    "accounts.VendorCall": Table(
        kept="RETENTION_VENDOR_CALLS_DAYS", plain="id agency_id customer_id endpoint at milliseconds outcome codes"
    ),
    "accounts.Worker": Table(
        kept="RETENTION_WORKERS_DAYS after its last sign of life", plain="id name started_at seen_at"
    ),
    # -- agencies: what they publish of themselves is theirs, not a person's ------------------------------------------
    "accounts.Agency": Table(
        kept=WITH_AGENCY,
        plain="id name product_name created_at stopped_at approval_required members_need_mfa support_email"
        " support_phone support_hours terms_url privacy_url tagline sender_name language outage_message daily_creates"
        " customer_limit",
    ),
    "accounts.Host": Table(kept=WITH_AGENCY, plain="id agency_id name is_canonical"),
    "accounts.Brand": Table(kept=WITH_AGENCY, plain="id agency_id colour grey corner logo css hash"),
    "accounts.Package": Table(
        kept=WITH_AGENCY,
        plain="id public_id agency_id name text points price currency trial_days vendor_package_id sends_expiry_date"
        " is_recommended is_visible position archived_at refused_at",
    ),
    "accounts.VendorAccount": Table(
        kept=WITH_AGENCY,
        plain="id agency_id active_credential_id whitelabel_host reads_statistics offers_pages recent_failures trouble"
        " trouble_since probe_at claimed_at throttled_until last_outage budget_reached_on reconciled_at compared_at"
        " reconcile_result creates_paused_at",
    ),
    "accounts.Credential": Table(
        kept="Until an owner drops it",
        plain="id vendor_account_id slot created_at tested_at test_result activated_at",
        never_shown="sealed_client_id sealed_client_secret fingerprint",
    ),
    # -- Django's own ----------------------------------------------------------------------------------------------
    "accounts.User_groups": Table(kept=NOTHING_OF_PEOPLE, plain="id user_id group_id"),
    "accounts.User_user_permissions": Table(kept=NOTHING_OF_PEOPLE, plain="id user_id permission_id"),
    "auth.Permission": Table(kept=NOTHING_OF_PEOPLE, plain="id name content_type_id codename"),
    "auth.Group": Table(kept=NOTHING_OF_PEOPLE, plain="id name"),
    "auth.Group_permissions": Table(kept=NOTHING_OF_PEOPLE, plain="id group_id permission_id"),
    "contenttypes.ContentType": Table(kept=NOTHING_OF_PEOPLE, plain="id app_label model"),
}


def table_of(model: type[Model]) -> Table:
    """Raises KeyError for a table that nobody classified."""
    return TABLES[model._meta.label]
