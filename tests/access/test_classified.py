"""What is new has to be looked at by somebody: a role or a field of a form that stands in no table fails here.

URLs have theirs in rules.py, models and their columns in accounts/personal_data.py.
"""

from accounts.models import Membership, User
from tests.access.world import MEMBERS, STAFF
from tests.forms import forms_of_ours

# Every field that a form declares, whoever may fill it in. What it may change is in changes.py, column by column.
FIELDS = {
    "AcceptInvitationForm": "first_name last_name password",
    "AddressForm": "email",
    "BrandForm": (
        "colour corner grey language logo name outage_message privacy_url product_name remove_logo sender_name"
        " support_email support_hours support_phone tagline terms_url"
    ),
    "ChangeForm": "do role",
    "CloseForm": "confirm message",
    "ConfirmForm": "confirm",
    "DeclineForm": "message",
    "EventSearchForm": "actor agency before customer first_day kind last_day",
    "ExtendForm": "last_day reason",
    "FilterForm": "attention expiry launch package q state step trial",
    "HostForm": "name",
    "InviteMemberForm": "email role",
    "InviteStaffForm": "email role",
    "LaunchForm": "campaign page",
    "LimitsForm": "customer_limit daily_creates",
    "LinkForm": "reason vendor_id",
    "LoginForm": "password remember",
    "LooksForm": "colour corner grey",
    "NewAgencyForm": "host name owner_email product_name",
    "NewCustomerForm": "company_name country email first_name last_name package",
    "NoteForm": "text",
    "PackageChoiceForm": "package",
    "PackageForm": (
        "currency is_recommended name points price sends_expiry_date text trial_days vendor_package_id who"
    ),
    "PairForm": "client_id client_secret",
    "PanelHostForm": "host",
    "PauseForm": "message",
    "PickForm": "customer",
    "ProfileForm": "first_name language last_name",
    "ReasonForm": "reason",
    "ResetPasswordForm": "email",
    "SignupForm": "company_name country email first_name last_name package username",
    "StaffLaunchForm": "page reason",
    "SwitchesForm": "offers_pages reads_statistics",
    "TeammateForm": "teammate_id",
    "ViewAsForm": "person reason",
}


def test_every_field_of_a_form_was_looked_at():
    declared = {form.__name__: " ".join(sorted(form.base_fields)) for form in forms_of_ours()}

    assert declared == FIELDS


def test_every_role_is_somebody_in_the_matrix():
    assert set(MEMBERS) == set(Membership.Role.values)
    assert {f"staff_{role}" for role in User.StaffRole.values if role} == set(STAFF)
