"""Changes of a customer in words: what each does at the portal, what at the vendor, and what is done by hand."""

from dataclasses import dataclass

from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from accounts import customer_care
from portal.access import Customer, Subaccount
from portal.wording_time import readable


@dataclass(frozen=True)
class Words:
    """One page of a change. `portal`, `vendor` and `by_hand` say which layer holds what."""

    title: str
    lead: str
    button: str
    portal: str
    vendor: str
    by_hand: str
    done: str
    refused: str | Promise
    impossible: str | Promise
    is_dangerous: bool = False


def _expiry(customer: Customer) -> str:
    """What the vendor was told of an end, and what it said last."""
    sent = customer.subaccount.expiry_date
    read = customer.subaccount.facts.get("expiry_date", "")
    if not sent and not read:
        return _("The vendor knows of no end.")
    texts = []
    if sent:
        texts.append(_("When the account was made, the vendor was told that it ends on %s.") % date_format(sent))
    if read:
        texts.append(_("It was last read back as %s.") % readable(read))
    return " ".join(texts)


def _package_there(subaccount: Subaccount, no_call: str) -> tuple[str, str]:
    """What another package means at the vendor, and what of it is done by hand."""
    if subaccount.vendor_id:
        return no_call, _("A task reminds you to change the package there.")
    if subaccount.had_unknown_outcome:
        return (
            _("If no account was made yet, it is asked for with the new package."),
            _("If one was made with the package of before, a task reminds you to change it there."),
        )
    return _("The account is not made yet: it will be asked for with the new package."), ""


def words(what: str, customer: Customer) -> Words:
    """The words for one kind of change."""
    name = customer.company_name
    moved_on = _("This has moved on meanwhile. Nothing was changed.")
    no_call = _("The vendor publishes no call for this, so we change nothing there.")
    password = _("With a panel password of their own they still get in there. A task reminds you to block it by hand.")
    bound = bool(customer.subaccount.vendor_id)
    is_there = customer_care.leaves_an_account(customer.subaccount)
    match what:
        case "pause":
            return Words(
                _("Pause %s?") % name,
                _("Running coupons go on. The customer cannot open the editor from here until you resume."),
                _("Pause"),
                _("The buttons go at once. The customer reads your sentence on a page of its own, and in a mail."),
                no_call,
                password if bound else "",
                _("%s is paused.") % name,
                moved_on,
                _("It is paused or closed already."),
            )
        case "resume":
            return Words(
                _("Resume %s?") % name,
                _("Everything is as it was before the pause."),
                _("Resume"),
                _("The buttons come back at once, and a mail says so.")
                if bound
                else _("The set-up page comes back at once, and a mail says so."),
                no_call,
                _("If blocking was ticked as done, a task reminds you to unblock it.") if bound else "",
                (_("%s is active again.") if bound else _("The pause of %s is over.")) % name,
                moved_on,
                _("It is not paused."),
            )
        case "close":
            return Words(
                _("Close %s for good?") % name,
                _("The customer cannot be opened again; they would sign up anew."),
                _("Close customer"),
                _("All buttons go, open wishes end, and the customer reads your sentence. The history stays."),
                _("Nothing is deleted: the account and its coupons stay as they are.") if is_there else no_call,
                _("A task reminds you to delete or block the account, if the customer wants that.") if is_there else "",
                _("%s is closed.") % name,
                _("An account is being made for it right now. Please try again once that is settled."),
                _("It is closed, or an account is being made for it right now."),
                is_dangerous=True,
            )
        case "extend":
            return Words(
                _("Extend the trial of %s") % name,
                _("They read the new last day on their start page."),
                _("Extend trial"),
                _("The trial here ends on the day that you choose."),
                _expiry(customer),
                _("A task reminds you to change the date there.") if customer.subaccount.expiry_date else "",
                _("The trial was extended."),
                moved_on,
                _("There is no trial to extend."),
            )
        case "convert":
            return Words(
                _("Make %s a customer?") % name,
                _("The trial ends, and nothing else changes for them. The portal takes no money."),
                _("Make customer"),
                _("No trial is shown any more."),
                _("The vendor was told “trial” when the account was made. %s") % _expiry(customer),
                _("A task reminds you to change it there.") if bound else "",
                _("%s is a customer now.") % name,
                moved_on,
                _("There is no trial."),
            )
        case "package":
            return Words(
                _("Change the package of %s") % name,
                _("Price and limits that the customer reads are those of the new package."),
                _("Change package"),
                _("Shown at once. Trial days that are running go on."),
                *_package_there(customer.subaccount, no_call),
                _("The package was changed."),
                moved_on,
                _("It is closed, or an account is being made for it right now."),
            )
        case "address":
            return Words(
                _("Use another address for %s") % name,
                _("The account is asked for with the new address once it is confirmed."),
                _("Change address"),
                _("It waits for the new address to be confirmed. Whoever has it becomes an owner of this customer."),
                _("The account with the old address is another customer's, and stays theirs.")
                if customer.subaccount.cause == "bound_elsewhere"
                else _("No account was made for the old address: the list was read and shows none."),
                "",
                _("An invitation is on its way to the new address."),
                _("This address belongs to the customer or was invited already, or this has moved on meanwhile."),
                _("The address cannot be changed now: an account may have been made for the old one."),
            )
        case "decline":
            return Words(
                _("Decline %s?") % name,
                _("No account is made. The customer reads your sentence."),
                _("Decline"),
                _("The sign-up ends. They would sign up anew."),
                _("Nothing was asked of the vendor."),
                "",
                _("%s was declined.") % name,
                moved_on,
                _("It no longer waits for approval."),
                is_dangerous=True,
            )
        case "erase":
            return Words(
                _("Erase %s?") % name,
                _("Everything personal is taken out for ever. This cannot be taken back."),
                _("Erase for ever"),
                _(
                    "Name, contact, notes, coupons, invitations and mails go, and people who sign in for this customer"
                    " alone. Its number, its package and what happened stay, without a name."
                ),
                no_call,
                _("A task reminds you to delete the account with everything in it.")
                if customer.subaccount.vendor_id or customer.subaccount.candidates
                else "",
                _("The customer is erased."),
                moved_on,
                _("Only a closed customer can be erased, and once."),
                is_dangerous=True,
            )
        case "link":
            return Words(
                _("Link %s to an account that exists?") % name,
                _("The customer then opens that account with all that is in it."),
                _("Link account"),
                _("Linked only if the vendor's list shows the account and nobody else here has it."),
                _("The list is read again before anything is linked. Nothing is changed there."),
                "",
                _("We ask the vendor and link it if its list bears it out."),
                _("Only an owner may link an account with another address, or this has moved on meanwhile."),
                _("There is nothing to link for this customer now."),
                is_dangerous=True,
            )
    return Words(
        _("Make a new account for %s?") % name,
        _("The vendor no longer knows %s. If it comes back there, nobody here will be linked to it.")
        % customer.subaccount.vendor_id,
        _("Make a new account"),
        _("The list of coupons starts empty. People and package stay."),
        _("The list is read first; then one new account is asked for."),
        "",
        _("A new account is in the queue."),
        moved_on,
        _("The account is not missing."),
        is_dangerous=True,
    )


@dataclass(frozen=True)
class Check:
    """One thing that speaks for or against linking."""

    is_good: bool
    text: str


def link_checks(subaccount: Subaccount) -> list[Check]:
    """What we know about the accounts that the vendor listed for the customer's address, or named when asked."""
    found = subaccount.candidates
    if not found:
        return [Check(False, _("No account is listed for the customer's own address."))]
    if subaccount.cause == "contradiction":
        return [
            Check(False, _("The vendor named it when we asked: %s") % ", ".join(found)),
            Check(False, _("It is not known to have the customer's own address.")),
        ]
    return [
        Check(len(found) == 1, _("Listed for this address: %s") % ", ".join(found)),
        Check(True, _("The address is the customer's own, and confirmed.")),
        Check(
            subaccount.had_unknown_outcome,
            _("We asked for an account, and the answer got lost.")
            if subaccount.had_unknown_outcome
            else _("We never asked for it: somebody else made it."),
        ),
        Check(
            subaccount.first_look == "absent",
            _("It was not there when we first looked.")
            if subaccount.first_look == "absent"
            else _("It was already there when we first looked."),
        ),
        Check(
            subaccount.cause != "bound_elsewhere",
            _("Another customer is linked to it.")
            if subaccount.cause == "bound_elsewhere"
            else _("No other customer is linked to it."),
        ),
    ]
