"""Who may do what, in one table. A URL without a row fails the suite.

A row names those who get in; what everybody else gets follows from who they are:
anonymous people are sent to the sign-in page, signed-in ones read 404, staff without a second factor are
sent to its set-up. `get` and `post` are the statuses of those who get in; a method without statuses is 405.
"""

from dataclasses import dataclass

from tests.access.world import MANAGERS, MEMBERS, OWNER, STAFF, SUPPORTERS

OPERATOR = ("operator",)
EVERYBODY = "everybody"  # also anonymous people
SIGNED_IN = "signed in"
ANONYMOUS = "anonymous"  # signed-in people are led on


@dataclass(frozen=True)
class Rule:
    who: str | tuple[str, ...]
    get: frozenset[int] = frozenset({200})
    post: frozenset[int] = frozenset()
    kind: str = "ours"
    asks_again: bool = False  # for the password or code, before it looks for the object
    writes: bool = False  # whether a POST of those who get in changes rows of ours

    def lets_in(self, person: str, anonymous: bool) -> bool:
        """Whether the row names this person; people of the other agency count as what they are there."""
        person = {"foreign_member": "owner", "foreign_staff": "staff_owner"}.get(person, person)
        if self.who == EVERYBODY:
            return True
        if self.who == ANONYMOUS:
            return anonymous
        if self.who == SIGNED_IN:
            return not anonymous
        return person in self.who and not anonymous


def statuses(*codes: int) -> frozenset[int]:
    return frozenset(codes)


NOTHING = statuses()
FORM = statuses(200, 302)
WAY_ON = statuses(200, 302, 303)


def allauth(who: str, get: frozenset[int] = FORM, post: frozenset[int] = FORM) -> Rule:
    """allauth's class-based views: other methods answer as they like, and change nothing."""
    return Rule(who, get, post, kind="allauth")


RULES: dict[str, Rule] = {
    "home": Rule(SIGNED_IN, WAY_ON),
    "start": Rule(EVERYBODY),
    "brand_css": Rule(EVERYBODY),
    "brand_logo": Rule(EVERYBODY, statuses(404)),
    "accept_invitation": Rule(EVERYBODY, statuses(404), statuses(404)),
    "customer:dashboard": Rule(MEMBERS),
    "customer:setup": Rule(MEMBERS),
    "customer:open": Rule(MEMBERS),
    "customer:open-campaign": Rule(MEMBERS),
    "customer:launch": Rule(("owner", "editor"), NOTHING, statuses(303), writes=True),
    "customer:password-link": Rule(("owner", "editor"), NOTHING, statuses(200), writes=True),
    "console:overview": Rule(STAFF),
    "console:attention": Rule(STAFF),
    "console:approvals": Rule(SUPPORTERS, post=statuses(200)),
    "console:approvals-switch": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:customers": Rule(STAFF),
    "console:customers-export": Rule(SUPPORTERS, NOTHING, statuses(200), writes=True),
    "console:customer-new": Rule(SUPPORTERS, post=statuses(200)),
    "console:customer": Rule(STAFF),
    "console:customer-people": Rule(STAFF),
    "console:customer-invite": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-invitation-resend": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-invitation-withdraw": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-note": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-remind": Rule(SUPPORTERS, NOTHING, statuses(302)),  # there is a coupon already
    "console:customer-task": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-choose": Rule(SUPPORTERS, NOTHING, statuses(302)),  # nothing waits
    "console:customer-launch": Rule(SUPPORTERS, statuses(302), statuses(302), asks_again=True),
    "console:customer-link": Rule(SUPPORTERS, statuses(302), statuses(302)),  # nothing to link
    "console:customer-person-data": Rule(MANAGERS, statuses(302), statuses(302), asks_again=True),
    "console:customer-person-erase": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:customer-erase": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:customer-make-new": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:customer-pause": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-resume": Rule(SUPPORTERS, statuses(302), statuses(302)),  # it is not paused
    "console:customer-close": Rule(SUPPORTERS, post=statuses(200)),
    "console:customer-extend": Rule(SUPPORTERS, post=statuses(200)),
    "console:customer-convert": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-package": Rule(SUPPORTERS, post=statuses(200)),
    "console:customer-address": Rule(SUPPORTERS, statuses(302), statuses(302)),  # an account exists
    "console:customer-decline": Rule(SUPPORTERS, statuses(302), statuses(302)),  # it does not wait
    "console:panel": Rule(STAFF, statuses(302), statuses(302), asks_again=True),
    "console:packages": Rule(STAFF),
    "console:package-new": Rule(MANAGERS, post=statuses(302), writes=True),
    "console:package": Rule(MANAGERS, post=statuses(302), writes=True),
    "console:package-archive": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:package-restore": Rule(MANAGERS, NOTHING, statuses(302)),
    "console:brand": Rule(MANAGERS, post=statuses(302), writes=True),
    "console:brand-preview": Rule(MANAGERS, NOTHING, statuses(200)),
    "console:brand-preview-css": Rule(MANAGERS, statuses(200)),
    "console:connection": Rule(MANAGERS),
    "console:connection-try": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:connection-switches": Rule(OWNER, NOTHING, statuses(302), writes=True),
    "console:connection-pair-new": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:connection-pair": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:connection-panel-host": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:package-move": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:staff": Rule(STAFF),
    "console:staff-invite": Rule(MANAGERS, post=statuses(302), writes=True),
    "console:staff-members-second-step": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:staff-person": Rule(MANAGERS, post=statuses(200)),
    "console:staff-second-factor": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:staff-hand-over": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:staff-data": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:staff-erase": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:staff-teammate": Rule(OWNER, post=statuses(302)),
    "console:staff-invitation-resend": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:staff-invitation-withdraw": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "customer:people": Rule(MEMBERS),
    "customer:invite": Rule(("owner",), post=statuses(302), writes=True),
    "customer:member": Rule(("owner",), post=statuses(200)),
    "customer:member-hand-over": Rule(SIGNED_IN, statuses(302), statuses(302), asks_again=True),
    "customer:invitation-resend": Rule(("owner",), NOTHING, statuses(302), writes=True),
    "customer:invitation-withdraw": Rule(("owner",), NOTHING, statuses(302), writes=True),
    "profile": Rule(SIGNED_IN, post=statuses(302), writes=True),
    "own-data": Rule(SIGNED_IN, statuses(302), statuses(302), asks_again=True),
    "own-erase": Rule(SIGNED_IN, statuses(302), statuses(302), asks_again=True),
    "activity": Rule(SIGNED_IN),
    "account_signup": allauth(ANONYMOUS),  # on the platform host nobody signs up: 404
    "account_login": allauth(ANONYMOUS),
    "account_logout": allauth(SIGNED_IN),
    "account_inactive": allauth(EVERYBODY, statuses(200), statuses(405)),
    "account_reauthenticate": allauth(SIGNED_IN),
    "account_email": allauth(SIGNED_IN),
    "account_email_verification_sent": allauth(EVERYBODY),
    "account_change_password": allauth(SIGNED_IN),
    "account_set_password": allauth(SIGNED_IN),
    "account_reset_password": allauth(ANONYMOUS),
    "account_confirm_login_code": allauth(EVERYBODY),
    "account_confirm_password_reset_code": allauth(EVERYBODY),
    "account_complete_password_reset": allauth(EVERYBODY),
    "account_password_reset_completed": allauth(EVERYBODY, statuses(200), statuses(405)),
    "mfa_index": allauth(SIGNED_IN, FORM, statuses(405)),
    "mfa_authenticate": allauth(EVERYBODY, statuses(302), statuses(302)),
    "mfa_reauthenticate": allauth(SIGNED_IN),
    "mfa_activate_totp": allauth(SIGNED_IN),
    "mfa_deactivate_totp": allauth(SIGNED_IN, statuses(200, 302, 404), statuses(200, 302, 404)),
    "mfa_view_recovery_codes": allauth(SIGNED_IN, statuses(200, 302, 404), statuses(302, 404, 405)),
    "mfa_generate_recovery_codes": allauth(SIGNED_IN),
    "mfa_download_recovery_codes": allauth(SIGNED_IN, statuses(200, 302, 404), statuses(302, 404, 405)),
    "mfa_list_webauthn": allauth(SIGNED_IN, FORM, statuses(302, 405)),
    "mfa_add_webauthn": allauth(SIGNED_IN),
    "mfa_reauthenticate_webauthn": allauth(SIGNED_IN),
    "mfa_remove_webauthn": allauth(SIGNED_IN, statuses(302, 404), statuses(302, 404)),
    "mfa_edit_webauthn": allauth(SIGNED_IN, statuses(302, 404), statuses(302, 404)),
    "mfa_login_webauthn": allauth(EVERYBODY),
    "usersessions_list": allauth(SIGNED_IN),
    "demo_inbox": Rule(EVERYBODY),
    "view_as_open": Rule(EVERYBODY, statuses(404)),
    "view_as_end": Rule(EVERYBODY, NOTHING, statuses(404)),
    "operator:overview": Rule(OPERATOR),
    "operator:health": Rule(OPERATOR),
    "operator:events": Rule(OPERATOR),
    "operator:agency-new": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:agency": Rule(OPERATOR),
    "operator:agency-stop": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:agency-resume": Rule(OPERATOR, post=statuses(200)),
    "operator:limits": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:view-as": Rule(OPERATOR, statuses(302), statuses(302), asks_again=True),
    "operator:hosts": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:host-remove": Rule(OPERATOR, NOTHING, statuses(302), writes=True),
    "operator:host-main": Rule(OPERATOR, NOTHING, statuses(302), writes=True),
    "admin:*": Rule(("operator",), statuses(200, 302, 403, 404, 405), statuses(200, 302, 403, 404, 405), kind="admin"),
}


def rule_for(name: str) -> Rule:
    """The row of a URL. Raises KeyError for one that nobody classified."""
    return RULES["admin:*"] if name.startswith("admin:") else RULES[name]
