"""The rows: agencies, people, customers, subaccounts, findings, jobs, events, vendor calls."""

from accounts.models.agencies import Agency, Brand, Credential, Host, Package, VendorAccount
from accounts.models.calls import VendorCall, Worker
from accounts.models.customers import Customer, Note, PanelTask, SearchWord
from accounts.models.events import DONE, FAILED, REFUSED, Event
from accounts.models.findings import Finding
from accounts.models.jobs import Job
from accounts.models.people import Invitation, Membership, User, ViewAs
from accounts.models.scope import ScopedQuerySet, UnscopedQuery
from accounts.models.subaccounts import IN_FLIGHT, IN_THE_MAKING, Campaign, Cause, State, Subaccount

__all__ = [
    "DONE",
    "FAILED",
    "IN_FLIGHT",
    "IN_THE_MAKING",
    "REFUSED",
    "Agency",
    "Brand",
    "Campaign",
    "Cause",
    "Credential",
    "Customer",
    "Event",
    "Finding",
    "Host",
    "Invitation",
    "Job",
    "Membership",
    "Note",
    "Package",
    "PanelTask",
    "ScopedQuerySet",
    "SearchWord",
    "State",
    "Subaccount",
    "UnscopedQuery",
    "User",
    "VendorAccount",
    "VendorCall",
    "ViewAs",
    "Worker",
]
