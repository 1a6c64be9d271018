"""What stands in the way of erasing somebody, in words: to themselves, and to an owner of the agency."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from accounts.erasure import Obstacle

_TO_ONESELF: dict[Obstacle, str | Promise] = {
    Obstacle.ONLY_OWNER_OF_CUSTOMER: gettext_lazy(
        "An account that is open is in your name alone. Make somebody else its owner, or ask for it to be closed."
    ),
    Obstacle.ONLY_OWNER_OF_AGENCY: gettext_lazy(
        "You are the only owner of the agency. Hand it over to somebody else first."
    ),
    Obstacle.LAST_OPERATOR: gettext_lazy("You are the last operator. Make another one first."),
    Obstacle.IN_THE_MAKING: gettext_lazy(
        "A coupon account is being made in your name. Please come back once that is done."
    ),
    Obstacle.TEAMMATE: gettext_lazy(
        "You are a teammate in the agency's panel at the vendor. An owner has to take you out there, and empty your"
        " teammate number here."
    ),
    Obstacle.SUPPORT_ADDRESS: gettext_lazy(
        "Your address is the one that customers write to. Enter another one under “Brand” first."
    ),
}
_TO_OWNERS: dict[Obstacle, str | Promise] = {
    Obstacle.ONLY_OWNER_OF_CUSTOMER: gettext_lazy(
        "A customer that is open is in their name alone. Another of its people becomes its owner first, or you"
        " close the customer and erase it."
    ),
    Obstacle.ONLY_OWNER_OF_AGENCY: gettext_lazy("They are the only owner of the agency."),
    Obstacle.LAST_OPERATOR: gettext_lazy("They are the last operator."),
    Obstacle.IN_THE_MAKING: gettext_lazy("An account is being made in their name. Wait until that is done."),
    Obstacle.TEAMMATE: gettext_lazy(
        "They are a teammate in your panel at the vendor. Take them out there, and empty their teammate number here."
    ),
    Obstacle.SUPPORT_ADDRESS: gettext_lazy(
        "Their address is the one that customers write to. Enter another one under “Brand” first."
    ),
}


def obstacle_sentence(obstacle: Obstacle, *, to_oneself: bool) -> str | Promise:
    """Why somebody cannot be erased now, and what to do about it."""
    return (_TO_ONESELF if to_oneself else _TO_OWNERS)[obstacle]
