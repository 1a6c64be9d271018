"""Roles in words, and the second step of a person: for staff and for members."""

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.access import User

Line = tuple[str | Promise, str | Promise]

STAFF_ROLES: dict[str, Line] = {
    "owner": (gettext_lazy("Owner"), gettext_lazy("Everything, also credentials and who owns the agency.")),
    "admin": (gettext_lazy("Admin"), gettext_lazy("Runs customers, packages, brand and staff.")),
    "support": (gettext_lazy("Support"), gettext_lazy("Helps customers and decides on the attention list.")),
    "analyst": (gettext_lazy("Analyst"), gettext_lazy("Reads numbers, changes nothing, opens no panel.")),
}
MEMBER_ROLES: dict[str, Line] = {
    "viewer": (gettext_lazy("Viewer"), gettext_lazy("Sees numbers and coupons here. Cannot open the editor.")),
    "editor": (gettext_lazy("Editor"), gettext_lazy("Makes and changes coupons. Cannot invite people.")),
    "owner": (gettext_lazy("Owner"), gettext_lazy("Everything, also people and package.")),
}
# Who may do what, for the table of rights: the sentence, then the roles that may.
RIGHTS: list[tuple[str | Promise, tuple[str, ...]]] = [
    (gettext_lazy("See customers and numbers"), ("owner", "admin", "support", "analyst")),
    (gettext_lazy("Open a customer’s panel, with a reason"), ("owner", "admin", "support")),
    (gettext_lazy("Decide on the attention list"), ("owner", "admin", "support")),
    (gettext_lazy("Change packages and brand, invite staff"), ("owner", "admin")),
    (gettext_lazy("Change credentials, reset a second step, hand the agency over"), ("owner",)),
]


def role_word(role: str) -> str:
    """A role of staff or of a member as a word."""
    word, _line = {**MEMBER_ROLES, **STAFF_ROLES}[role]
    return str(word)


def role_line(role: str, *, of_staff: bool) -> str:
    """What somebody with the role may do, in one line."""
    _word, line = (STAFF_ROLES if of_staff else MEMBER_ROLES)[role]
    return str(line)


def second_step(person: User) -> str:
    """How somebody proves themselves beside the password; empty if they do not yet. Needs access_people's columns."""
    match person.has_app, person.has_passkey:
        case True, True:
            return _("Passkey and app")
        case True, False:
            return _("App")
        case False, True:
            return _("Passkey")
    return ""
