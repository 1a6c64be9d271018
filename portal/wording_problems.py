"""What people read when no way into the vendor's panel came about: customers in their words, staff in theirs."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.errors import (
    BadCredentials,
    CampaignGone,
    DoorError,
    NoReply,
    NotAllowed,
    NotAskedNow,
    NotFoundAtVendor,
    NotThereYet,
    SuspiciousReply,
    TeammateGone,
    UnderWay,
    Unreached,
)
from accounts.limits import TooMany
from portal.access import VendorAccount
from portal.wording_time import waiting_time


@dataclass(frozen=True)
class Problem:
    """A launch or password link that did not come about, in words, with its HTTP status.

    `page` is the URL name of the page where staff set it right, if there is one.
    """

    title: str
    what: str
    next: str
    status: int
    can_retry: bool = True
    page: str = ""


def _busy(title: str) -> Problem:
    """As many clicks as may be wait for the vendor already."""
    return Problem(
        title,
        _("Many are opening the editor at this moment, so we did not try. Nothing was changed."),
        _("Please try again in a few seconds."),
        503,
    )


def problem(error: DoorError, *, seconds: float, own_words: str = "") -> Problem:
    """What the customer reads when a door refuses. Nothing was changed in any of these.

    `own_words` are the agency's for the time when the vendor does not answer.
    """
    title = _("We could not open your coupons")
    match error:
        case TooMany():
            return _too_many(error)
        case NotAllowed():
            return Problem(
                title,
                _("Your account is not open at the moment. Nothing has been deleted."),
                _("Your start page says what is going on."),
                409,
                can_retry=False,
            )
        case NotFoundAtVendor():
            return Problem(
                _("We cannot find your coupon account"),
                _("The account was there before and is not found now. A colleague was told at once."),
                _("We look into it and write to you. You do not need to do anything."),
                503,
                can_retry=False,
            )
        case BadCredentials():
            return Problem(
                title,
                _("The editor does not let us in at the moment. Nothing was changed, and your running coupons go on."),
                _("We look why. If it stays so, write to us and name the reference below."),
                503,
            )
        case SuspiciousReply():
            return Problem(
                title,
                _("The editor's answer did not fit what we asked, so we did not follow it. Nothing was changed."),
                _("Please try again. If it happens twice, write to us and name the reference below."),
                502,
            )
        case UnderWay():
            return _under_way()
        case NotThereYet():
            return Problem(
                _("One moment, please"),
                _("Your account is new, and the editor is still putting it in place. Nothing was changed."),
                _("Please try again in a few minutes. If it stays so, write to us and name the reference below."),
                503,
            )
        case CampaignGone():
            return Problem(
                title,
                _("The editor no longer knows this coupon. Nothing was changed."),
                _("We read your list of coupons again. Your start page shows it in a minute."),
                503,
                can_retry=False,
            )
        case NotAskedNow(args=("busy",)):
            return _busy(title)
        case NotAskedNow():
            return Problem(
                title,
                own_words
                or _("The editor is not available at the moment, so we did not try. Your running coupons go on."),
                _("The buttons work again as soon as it is back."),
                503,
            )
        case NoReply():
            return Problem(
                title,
                _(
                    "The editor did not answer within %(seconds)g seconds. Nothing was changed, and your running "
                    "coupons go on."
                )
                % {"seconds": seconds},
                _("It is usually over in a few minutes. If it stays so, write to us and name the reference below."),
                503,
            )
        case Unreached():
            return Problem(
                title,
                _("We could not reach the editor. Nothing was changed, and your running coupons go on."),
                _("It is usually over in a few minutes. If it stays so, write to us and name the reference below."),
                503,
            )
    return Problem(
        title,
        _("The editor did not let us in. Nothing was changed, and your running coupons go on."),
        _("Please try again. If it happens twice, write to us and name the reference below."),
        503,
    )


def staff_problem(error: DoorError, *, seconds: float) -> Problem:
    """What staff read when a door refuses. Nothing was changed in any of these."""
    title = _("The panel could not be opened")
    again = _("Please try again. If it happens twice, write to the operator and name the reference below.")
    match error:
        case TooMany():
            return _too_many(error)
        case UnderWay():
            return _under_way()
        case NotAllowed():
            return Problem(
                title,
                _("This account is not open any more. Nothing was changed."),
                _("The page before this one says what is going on."),
                409,
            )
        case NotFoundAtVendor():
            return Problem(
                title,
                _("The vendor no longer knows this account. Nothing was changed."),
                _("A customer's account that is gone stands under Needs attention."),
                503,
            )
        case BadCredentials():
            return Problem(
                title,
                _("The vendor refuses this account, or your agency's credentials. Nothing was changed."),
                _(
                    "We read your list of accounts to find out which. If it is the credentials, an owner sets them "
                    "right under Connection."
                ),
                503,
                page="console:connection",
            )
        case NotAskedNow(args=("busy",)):
            return _busy(title)
        case NotAskedNow(args=(VendorAccount.Trouble.UNSEALED,)):
            return Problem(
                title,
                _("Your agency's credentials do not open. Nothing was changed."),
                _("An owner enters them again under Connection."),
                503,
                page="console:connection",
            )
        case NotAskedNow(args=(VendorAccount.Trouble.CREDENTIALS,)):
            return Problem(
                title,
                _(
                    "The vendor refuses your agency's credentials, or says that its account has expired. "
                    "Nothing was changed."
                ),
                _("An owner sets it right; Connection says how."),
                503,
                page="console:connection",
            )
        case NotAskedNow():
            return Problem(
                title,
                _("The vendor is not asked at the moment, so we did not try. Nothing was changed."),
                _("We look every minute and go on by ourselves. Connection says more."),
                503,
                page="console:connection",
            )
        case SuspiciousReply():
            return Problem(
                title,
                _("The vendor's answer did not fit what we asked, so we did not follow it. Nothing was changed."),
                again,
                502,
            )
        case NotThereYet():
            return Problem(
                title,
                _("The account is new, and the vendor does not know it yet. Nothing was changed."),
                _("Please try again in a few minutes. If the vendor has no such account, it is noticed by itself."),
                503,
            )
        case CampaignGone():
            return Problem(title, _("The vendor no longer knows this coupon. Nothing was changed."), again, 503)
        case TeammateGone():
            return Problem(
                title,
                _("The vendor does not know this teammate number. Nothing was changed."),
                _("An owner changes it under Staff."),
                503,
                page="console:staff",
            )
        case NoReply():
            return Problem(
                title,
                _("The vendor did not answer within %(seconds)g seconds. Nothing was changed.") % {"seconds": seconds},
                again,
                503,
            )
        case Unreached():
            return Problem(title, _("We could not reach the vendor. Nothing was changed."), again, 503)
    return Problem(title, _("The vendor refused what we asked. Nothing was changed."), again, 503)


def _too_many(error: TooMany) -> Problem:
    return Problem(
        _("One moment, please"),
        _("You have tried this several times in a short while. Nothing was changed."),
        _("Please wait %(time)s and try again.") % {"time": waiting_time(error.retry_after)},
        429,
        can_retry=False,
    )


def _under_way() -> Problem:
    return Problem(
        _("One moment, please"),
        _("Your last click is still being answered. Nothing was changed by this one."),
        _("The editor opens from your first click. If it does not, try again."),
        503,
    )
