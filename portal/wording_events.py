"""What happened, in a sentence: one for every kind of event, for timelines and lists."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

SENTENCES: dict[str, str | Promise] = {
    # Customers and their accounts
    "customer.signed_up": gettext_lazy("Signed up"),
    "customer.added": gettext_lazy("Added by hand and invited"),
    "customer.approved": gettext_lazy("Approved"),
    "customer.declined": gettext_lazy("Declined"),
    "customer.trial_extended": gettext_lazy("Trial extended"),
    "customer.converted": gettext_lazy("Trial became a customer"),
    "customer.paused": gettext_lazy("Paused"),
    "customer.resumed": gettext_lazy("Resumed"),
    "customer.closed": gettext_lazy("Customer closed"),
    "customer.package_changed": gettext_lazy("Package changed"),
    "customer.reminded": gettext_lazy("Reminder mailed"),
    "customer.noted": gettext_lazy("Note written"),
    "customers.exported": gettext_lazy("List of customers downloaded"),
    "attention.retry": gettext_lazy("Told to try again"),
    "attention.look": gettext_lazy("Told to look again"),
    "attention.link": gettext_lazy("Told to link an account at the vendor"),
    "attention.change_address": gettext_lazy("E-mail address changed"),
    "attention.make_new": gettext_lazy("Told to make a new account"),
    "attention.dismiss": gettext_lazy("Taken off the attention list"),
    "panel_task.done": gettext_lazy("Done by hand in the vendor's panel"),
    "subaccount.awaiting_email": gettext_lazy("Waiting for the e-mail address to be confirmed"),
    "subaccount.awaiting_approval": gettext_lazy("E-mail address confirmed, waiting for approval"),
    "subaccount.requested": gettext_lazy("Account put in the queue"),
    "subaccount.waiting": gettext_lazy("Account waits in the queue"),
    "subaccount.creating": gettext_lazy("Account asked for at the vendor"),
    "subaccount.create_given_back": gettext_lazy("The vendor did not take the question; it is asked again later"),
    "subaccount.uncertain": gettext_lazy("It is being checked whether the account was made"),
    "subaccount.needs_review": gettext_lazy("A person has to look at the account"),
    "subaccount.active": gettext_lazy("Account made and linked"),
    "subaccount.missing": gettext_lazy("The vendor no longer lists the account"),
    "subaccount.closed": gettext_lazy("Account closed"),
    "subaccount.looked": gettext_lazy("Looked for the account at the vendor"),
    "reconcile.compared": gettext_lazy("Compared with the vendor's list: something changed"),
    "reconcile.stopped": gettext_lazy("Comparison with the vendor's list stopped: too much was absent"),
    "provisioning.paused": gettext_lazy("New accounts paused until the differences are seen"),
    "provisioning.acknowledged": gettext_lazy("Differences seen: new accounts are made again"),
    "finding.dismissed": gettext_lazy("Difference from the vendor's list set aside"),
    "agency.approval_switched": gettext_lazy("Approval of new customers switched"),
    "agency.members_second_step_switched": gettext_lazy("Second step of customers' people switched"),
    "account_launch": gettext_lazy("The agency's own panel opened"),
    "teammate_launch": gettext_lazy("Panel opened as a teammate"),
    "launch": gettext_lazy("Panel opened"),
    "password_link": gettext_lazy("Link for a new panel password made"),
    "staff_launch": gettext_lazy("Panel opened by staff"),
    # Packages, brand and vendor account
    "package.created": gettext_lazy("Package made"),
    "package.changed": gettext_lazy("Package changed"),
    "package.archived": gettext_lazy("Package archived"),
    "package.restored": gettext_lazy("Package brought back"),
    "package.moved": gettext_lazy("Order of packages changed"),
    "brand.changed": gettext_lazy("Brand changed"),
    # Invitations and people
    "invitation.sent": gettext_lazy("Invitation sent"),
    "invitation.resent": gettext_lazy("Invitation sent again"),
    "invitation.withdrawn": gettext_lazy("Invitation withdrawn"),
    "invitation.accepted": gettext_lazy("Invitation accepted"),
    "staff.role_changed": gettext_lazy("Role of a staff member changed"),
    "staff.removed": gettext_lazy("Staff member removed"),
    "staff.suspended": gettext_lazy("Staff member suspended"),
    "staff.brought_back": gettext_lazy("Staff member brought back"),
    "staff.sessions_ended": gettext_lazy("Sessions of a staff member ended"),
    "staff.second_factor_reset": gettext_lazy("Second step of a staff member reset"),
    "staff.teammate_stored": gettext_lazy("Teammate number of a staff member stored"),
    "staff.ownership_handed_over": gettext_lazy("Ownership of the agency handed over"),
    "member.role_changed": gettext_lazy("Role of a member changed"),
    "member.removed": gettext_lazy("Member removed"),
    "member.suspended": gettext_lazy("Member suspended"),
    "member.brought_back": gettext_lazy("Member brought back"),
    "member.sessions_ended": gettext_lazy("Sessions of a member ended"),
    "member.ownership_handed_over": gettext_lazy("Ownership of the account handed over"),
    "person.profile_changed": gettext_lazy("Name or language changed"),
    # Personal data
    "person.data_exported": gettext_lazy("Personal data downloaded"),
    "person.erased": gettext_lazy("Person erased"),
    "member.erased": gettext_lazy("Member erased"),
    "customer.erased": gettext_lazy("Customer erased"),
    "customer.contact_changed": gettext_lazy("Put in the name of another member, because the first one was erased"),
    "invitation.forgotten": gettext_lazy("Old invitation deleted"),
    "rows.forgotten": gettext_lazy("Rows deleted whose time was over"),
    # What people do with their own sign-in
    "person.signed_in": gettext_lazy("Signed in"),
    "person.signed_out": gettext_lazy("Signed out"),
    "person.sign_in_failed": gettext_lazy("Tried to sign in"),
    "person.second_step_failed": gettext_lazy("Typed a code for the second step"),
    "person.password_changed": gettext_lazy("Password changed"),
    "person.password_reset": gettext_lazy("Forgotten password replaced"),
    "person.address_proven": gettext_lazy("E-mail address of a sign-in confirmed"),
    "person.address_added": gettext_lazy("E-mail address of a sign-in added"),
    "person.address_changed": gettext_lazy("E-mail address of a sign-in changed"),
    "person.address_removed": gettext_lazy("E-mail address of a sign-in removed"),
    "person.second_step_added": gettext_lazy("Second step set up"),
    "person.second_step_removed": gettext_lazy("Second step taken away"),
    "person.second_step_renamed": gettext_lazy("Passkey renamed"),
    "person.recovery_codes_made": gettext_lazy("Recovery codes made"),
    "person.recovery_codes_seen": gettext_lazy("Recovery codes shown"),
    "person.recovery_code_used": gettext_lazy("Recovery code used up"),
    "person.session_ended": gettext_lazy("Session of theirs ended"),
    # The worker
    "mail.sent": gettext_lazy("Mail handed to the mail server"),
    "mail.written": gettext_lazy("Mail about a sign-in written"),
    "campaigns.changed": gettext_lazy("Coupons read at the vendor, with changes"),
    "vendor_account.troubled": gettext_lazy("The vendor is not asked for a while"),
    "vendor_account.throttled": gettext_lazy("The vendor asked to slow down"),
    "vendor_account.recovered": gettext_lazy("The vendor is asked again"),
    "operator.created": gettext_lazy("Operator made"),
    "sealing.rotated": gettext_lazy("Secrets sealed with a new key"),
    # Agencies
    "agency.created": gettext_lazy("Agency made"),
    "agency.stopped": gettext_lazy("Agency stopped"),
    "agency.resumed": gettext_lazy("Agency resumed"),
    "agency.host_added": gettext_lazy("Host added"),
    "agency.host_removed": gettext_lazy("Host removed"),
    "agency.host_made_canonical": gettext_lazy("Main host changed"),
    "agency.limits_changed": gettext_lazy("Limits changed"),
    "credential.stored": gettext_lazy("Vendor credentials stored"),
    "credential.checked": gettext_lazy("Vendor credentials checked"),
    "credential.switched": gettext_lazy("Switched to other vendor credentials"),
    "credential.dropped": gettext_lazy("Vendor credentials dropped"),
    "credential.held_elsewhere": gettext_lazy("Vendor credentials refused: another agency holds that account"),
    "vendor_account.caught_up": gettext_lazy("All that waited for the vendor is caught up"),
    "vendor_account.budget_reached": gettext_lazy("Today's number of new accounts reached"),
    "vendor_account.changed": gettext_lazy("Switches of the vendor account changed"),
    "vendor_account.panel_host": gettext_lazy("Panel host entered"),
    "view_as.asked": gettext_lazy("An operator asked to see the console as a staff member"),
    "view_as.opened": gettext_lazy("An operator opened the console as a staff member"),
    "view_as.ended": gettext_lazy("An operator ended the view of the console"),
}

# What a customer's members read of what staff did with their account: their words, and nothing of the vendor.
FOR_MEMBERS: dict[str, str | Promise] = {
    "staff_launch": gettext_lazy("Opened your editor"),
    "customer.added": gettext_lazy("Made your account"),
    "customer.approved": gettext_lazy("Approved your sign-up"),
    "customer.declined": gettext_lazy("Declined your sign-up"),
    "customer.trial_extended": gettext_lazy("Extended your trial"),
    "customer.converted": gettext_lazy("Ended the trial: you stay as a customer"),
    "customer.paused": gettext_lazy("Paused your account"),
    "customer.resumed": gettext_lazy("Opened your account again"),
    "customer.closed": gettext_lazy("Closed your account"),
    "customer.package_changed": gettext_lazy("Changed your package"),
    "customer.reminded": gettext_lazy("Mailed you a reminder"),
    "attention.link": gettext_lazy("Linked your coupon account"),
    "attention.change_address": gettext_lazy("Changed the e-mail address of your account"),
    "attention.make_new": gettext_lazy("Asked for a new coupon account for you"),
    "invitation.sent": gettext_lazy("Invited somebody to your account"),
    "invitation.resent": gettext_lazy("Sent an invitation to your account again"),
    "invitation.withdrawn": gettext_lazy("Withdrew an invitation to your account"),
}
# Reasons that staff know to be read by the customer, too.
REASONS_FOR_MEMBERS = ("staff_launch",)

# How a launch or a password link ended, where it did not come about; see accounts.panel.
OUTCOMES: dict[str, str | Promise] = {
    "not_active": gettext_lazy("the account was not open"),
    "limit": gettext_lazy("too many tries"),
    "already_under_way": gettext_lazy("the click before was still being answered"),
    "credentials": gettext_lazy("the vendor refused the account or the credentials"),
    "missing": gettext_lazy("the vendor no longer knew the account"),
    "too_new": gettext_lazy("the account was new, and the vendor did not know it yet"),
    "campaign_gone": gettext_lazy("the vendor no longer knew the coupon"),
    "teammate_gone": gettext_lazy("the vendor does not know the teammate number"),
    "throttled": gettext_lazy("the vendor asked to slow down"),
    "suspicious": gettext_lazy("the answer did not fit the question"),
    "url_refused": gettext_lazy("the answer led to a host that is not trusted"),
    "Unauthorized": gettext_lazy("the vendor refused the credentials"),
    "AccountExpired": gettext_lazy("the account at the vendor has expired"),
    "WrongKindOfKey": gettext_lazy("they are a customer's keys"),
    "Throttled": gettext_lazy("the vendor asked to slow down"),
    "NotSent": gettext_lazy("the vendor could not be reached"),
    "OutOfResources": gettext_lazy("the vendor could not be reached"),
    "NoAnswer": gettext_lazy("the vendor did not answer in time"),
    "UnexpectedReply": gettext_lazy("the vendor's answer was not understood"),
    "InvalidInput": gettext_lazy("the vendor refused what we sent"),
    "InvalidEmail": gettext_lazy("the vendor does not take the address"),
    "EmailTaken": gettext_lazy("the address is taken"),
    "NoIntegration": gettext_lazy("the vendor has no mail or SMS service connected"),
    "NotDelivered": gettext_lazy("the vendor could not send the message"),
    "NotFound": gettext_lazy("the vendor does not know it"),
    "Undocumented": gettext_lazy("the vendor does not say how to ask for it"),
    "does_not_open": gettext_lazy("they were sealed with a key that is gone"),
    "misses_customers": gettext_lazy("not all customers are in that account"),
    "not_named": gettext_lazy("the vendor names no panel host"),
    "other_host": gettext_lazy("the vendor names another host"),
    "waiting": gettext_lazy("the vendor is not asked at the moment"),
    "refused": gettext_lazy("refused"),
    "failed": gettext_lazy("given up"),
    "paused": gettext_lazy("the account was paused"),
}
CAME_ABOUT = ("done", "opened", "made", "ok", "removed")

PAGES: dict[str, str | Promise] = {
    "campaigns": gettext_lazy("coupons"),
    "add_campaign": gettext_lazy("new coupon"),
    "update_campaign": gettext_lazy("one coupon"),
    "statistics": gettext_lazy("results"),
    "distribution": gettext_lazy("sharing"),
}

ROLES: dict[str, str | Promise] = {
    "owner": gettext_lazy("owner"),
    "admin": gettext_lazy("admin"),
    "support": gettext_lazy("support"),
    "analyst": gettext_lazy("analyst"),
    "editor": gettext_lazy("editor"),
    "viewer": gettext_lazy("viewer"),
}


NO_ROOM = gettext_lazy("E-mail address confirmed, waiting for room")


def event_sentence(kind: str, data: dict[str, Any], outcome: str = "done") -> str:
    """What happened, in words: the sentence of the kind, how it ended, and what `data` says of it (a role, a page).

    A kind without a sentence is shown in a readable form of its name.
    """
    waits_for_room = (kind, data.get("cause")) == ("subaccount.awaiting_approval", "no_room")
    sentence = NO_ROOM if waits_for_room else SENTENCES.get(kind)
    text = str(sentence) if sentence else kind.replace(".", ": ").replace("_", " ").capitalize()
    if outcome not in CAME_ABOUT:
        text = _("%(what)s: did not work, %(why)s") % {"what": text, "why": _outcome(outcome)}
    return _with_details(text, data)


# What an event was about, by `accounts.models.events.type_of`; customers and people are called by name or number.
OBJECTS: dict[str, str | Promise] = {
    "address": gettext_lazy("e-mail address"),
    "authenticator": gettext_lazy("second step"),
    "brand": gettext_lazy("brand"),
    "credential": gettext_lazy("pair of credentials"),
    "finding": gettext_lazy("difference"),
    "host": gettext_lazy("host"),
    "invitation": gettext_lazy("invitation"),
    "job": gettext_lazy("job"),
    "membership": gettext_lazy("membership"),
    "note": gettext_lazy("note"),
    "package": pgettext_lazy("event", "package"),
    "paneltask": gettext_lazy("task in the vendor's panel"),
    "subaccount": gettext_lazy("subaccount"),
    "vendoraccount": gettext_lazy("vendor account"),
    "viewas": gettext_lazy("view of the console"),
}


def object_word(object_type: str) -> str:
    """What the kind of a thing is called that an event was about."""
    return str(OBJECTS.get(object_type, object_type))


def member_sentence(kind: str, data: dict[str, Any], outcome: str = "done") -> str:
    """What staff did, as the customer's own people read it. Only kinds of FOR_MEMBERS."""
    text = str(FOR_MEMBERS[kind])
    if outcome not in CAME_ABOUT:
        return _("%(what)s: did not work") % {"what": text}
    return _with_details(text, data)


def _with_details(text: str, data: dict[str, Any]) -> str:
    details = [str(words[data[key]]) for key, words in WORDS.items() if data.get(key) in words]
    if "was" in data and data["was"] in ROLES and details:
        details = [_("%(before)s to %(after)s") % {"before": ROLES[data["was"]], "after": details[0]}]
    return f"{text} ({', '.join(details)})" if details else text


WORDS: dict[str, dict[str, str | Promise]] = {"page": PAGES, "role": ROLES, "staff_role": ROLES, "member_role": ROLES}


def _outcome(outcome: str) -> str:
    if outcome.startswith("not_asked"):
        return _("the vendor was not asked at that moment")
    words = OUTCOMES.get(outcome)
    return str(words) if words else _("the reason is not known")
