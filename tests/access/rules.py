"""Who may do what, in one table. A URL without a row fails the suite.

A row names those who get in; what everybody else gets follows from who they are:
anonymous people are sent to the sign-in page, signed-in ones read 404, staff without a second factor are
sent to its set-up. `get` and `post` are the statuses of those who get in; a method without statuses is 405.
"""

from dataclasses import dataclass

from tests.access.world import MANAGERS, MEMBERS, OWNER, SAME_AS, STAFF, SUPPORTERS

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
    writes_on_get: bool = False  # a token in a mail or an address, opened once
    head: frozenset[int] | None = None  # where HEAD is not answered as GET
    paused: frozenset[int] | None = None  # what a member reads instead whose customer is paused
    viewing: frozenset[int] | None = None  # what an operator reads instead who looks at the console as its staff

    def lets_in(self, person: str, anonymous: bool) -> bool:
        """Whether the row names this person, by what they are in their own place."""
        person = SAME_AS.get(person, person)
        if self.who == EVERYBODY:
            return True
        if self.who == ANONYMOUS:
            return anonymous
        if self.who == SIGNED_IN:
            return not anonymous
        return person in self.who and not anonymous

    def answers(self, person: str, method: str) -> frozenset[int]:
        """The statuses of somebody who gets in, for their own object."""
        if person == "paused_member" and self.paused is not None:
            return self.paused
        if person == "viewing_operator" and self.viewing is not None:
            return self.viewing
        if method == "HEAD" and self.head is not None:
            return self.head
        return self.get if method in ("GET", "HEAD") else self.post if method == "POST" else frozenset()


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
    "accept_invitation": Rule(EVERYBODY, statuses(200), statuses(200)),
    "customer:dashboard": Rule(MEMBERS),
    "customer:setup": Rule(MEMBERS),
    "customer:open": Rule(MEMBERS, paused=statuses(302)),
    "customer:open-campaign": Rule(MEMBERS, paused=statuses(302)),
    "customer:launch": Rule(("owner", "editor"), NOTHING, statuses(303), writes=True, paused=statuses(409)),
    "customer:password-link": Rule(("owner", "editor"), NOTHING, statuses(200), writes=True, paused=statuses(409)),
    "console:overview": Rule(STAFF),
    "console:attention": Rule(STAFF),
    "console:differences": Rule(STAFF),
    "console:difference-set-aside": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:approvals": Rule(SUPPORTERS, post=statuses(200)),
    "console:approvals-switch": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:customers": Rule(STAFF),
    "console:customers-export": Rule(SUPPORTERS, NOTHING, statuses(200), writes=True),
    "console:customer-new": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer": Rule(STAFF),
    "console:customer-people": Rule(STAFF),
    "console:customer-invite": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-invitation-resend": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-invitation-withdraw": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-note": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-remind": Rule(SUPPORTERS, NOTHING, statuses(302)),  # there is a coupon already
    "console:customer-task": Rule(SUPPORTERS, NOTHING, statuses(302), writes=True),
    "console:customer-choose": Rule(SUPPORTERS, NOTHING, statuses(302)),  # nothing waits
    "console:customer-launch": Rule(SUPPORTERS, post=statuses(303), asks_again=True, writes=True),
    "console:customer-link": Rule(SUPPORTERS, statuses(302), statuses(302)),  # nothing to link
    # The one who is asked for here works at the agency as well: their data is the owner's to hand out.
    "console:customer-person-data": Rule(MANAGERS, post=statuses(200, 403), asks_again=True, writes=True),
    "console:customer-person-erase": Rule(OWNER, post=statuses(302), asks_again=True, writes=True),
    "console:customer-erase": Rule(OWNER, statuses(302), statuses(302), asks_again=True),  # it is open
    "console:customer-make-new": Rule(OWNER, statuses(302), statuses(302), asks_again=True),
    "console:customer-pause": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-resume": Rule(SUPPORTERS, statuses(302), statuses(302)),  # it is not paused
    "console:customer-close": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-extend": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-convert": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-package": Rule(SUPPORTERS, post=statuses(302), writes=True),
    "console:customer-address": Rule(SUPPORTERS, statuses(302), statuses(302)),  # an account exists
    "console:customer-decline": Rule(SUPPORTERS, statuses(302), statuses(302)),  # it does not wait
    "console:panel": Rule(STAFF, post=statuses(303), asks_again=True, writes=True),
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
    "console:connection-pair-new": Rule(OWNER, post=statuses(302), asks_again=True, writes=True),
    "console:connection-pair": Rule(OWNER, post=statuses(302), asks_again=True, writes=True),
    "console:connection-panel-host": Rule(OWNER, post=statuses(302), asks_again=True, writes=True),
    "console:package-move": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:staff": Rule(STAFF),
    "console:staff-invite": Rule(MANAGERS, post=statuses(302), writes=True),
    "console:staff-members-second-step": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:staff-person": Rule(MANAGERS, post=statuses(302), writes=True),
    "console:staff-second-factor": Rule(OWNER, post=statuses(302), asks_again=True, writes=True),
    "console:staff-hand-over": Rule(OWNER, post=statuses(302), asks_again=True, writes=True),
    "console:staff-data": Rule(OWNER, post=statuses(200), asks_again=True, writes=True),
    "console:staff-erase": Rule(OWNER, post=statuses(302), asks_again=True, writes=True),
    "console:staff-teammate": Rule(OWNER, post=statuses(302), writes=True),
    "console:staff-invitation-resend": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "console:staff-invitation-withdraw": Rule(MANAGERS, NOTHING, statuses(302), writes=True),
    "customer:people": Rule(MEMBERS),
    "customer:invite": Rule(("owner",), post=statuses(302), writes=True),
    "customer:member": Rule(("owner",), post=statuses(302), writes=True),
    "customer:member-hand-over": Rule(("owner",), statuses(200), statuses(302), asks_again=True, writes=True),
    "customer:invitation-resend": Rule(("owner",), NOTHING, statuses(302), writes=True),
    "customer:invitation-withdraw": Rule(("owner",), NOTHING, statuses(302), writes=True),
    "profile": Rule(SIGNED_IN, post=statuses(302), writes=True),
    "own-data": Rule(SIGNED_IN, post=statuses(200), asks_again=True, writes=True),
    "own-erase": Rule(SIGNED_IN, post=statuses(200), asks_again=True),  # without the address typed
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
    "account_reset_password": allauth(EVERYBODY),  # somebody signed in may ask for a link, too
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
    "view_as_open": Rule(EVERYBODY, statuses(302), head=statuses(404), writes_on_get=True),
    "view_as_end": Rule(EVERYBODY, NOTHING, statuses(404), viewing=statuses(200), writes=True),
    "operator:overview": Rule(OPERATOR),
    "operator:health": Rule(OPERATOR),
    "operator:events": Rule(OPERATOR),
    "operator:agency-new": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:agency": Rule(OPERATOR),
    "operator:agency-stop": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:agency-resume": Rule(OPERATOR, post=statuses(200)),
    "operator:differences": Rule(OPERATOR, post=statuses(302)),  # nothing is paused
    "operator:limits": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:view-as": Rule(OPERATOR, post=statuses(302), asks_again=True, writes=True),
    "operator:hosts": Rule(OPERATOR, post=statuses(302), writes=True),
    "operator:host-remove": Rule(OPERATOR, NOTHING, statuses(302), writes=True),
    "operator:host-main": Rule(OPERATOR, NOTHING, statuses(302), writes=True),
    "admin:*": Rule(("operator",), statuses(200, 302, 403, 404, 405), statuses(200, 302, 403, 404, 405), kind="admin"),
}


def rule_for(name: str) -> Rule:
    """The row of a URL. Raises KeyError for one that nobody classified."""
    return RULES["admin:*"] if name.startswith("admin:") else RULES[name]


OPEN_WITHOUT_FACTOR = ("/account/2fa/", "/account/logout/", "/account/reauthenticate/", "/brand/")
WHILE_VIEWING = ("/export",)  # reads of the console that a view is not for
