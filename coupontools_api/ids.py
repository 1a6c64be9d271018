"""The vendor's ids as types of their own, so that a blank or foreign one cannot be said."""

import re
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pydantic_core import CoreSchema, core_schema


def _digits(value: object) -> str:
    """A number as the vendor would write it, "" for what is none."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


class VendorId(str):
    """An id as the vendor writes it: a prefix and digits. Bare digits are accepted and get the prefix.

    Raises ValueError for a blank value, zero, another prefix, or an id of another kind: an empty id on a sign-on
    would open the agency's own panel.
    """

    __slots__ = ()
    prefix: ClassVar[str] = ""
    body: ClassVar[str] = "0*[1-9][0-9]{0,17}"
    """What follows the prefix, as a regular expression."""
    is_written: ClassVar[Callable[[str], object]]
    """Whether a text has the form of a whole id."""

    def __init_subclass__(cls) -> None:
        cls.is_written = re.compile(cls.pattern(), re.ASCII).fullmatch

    def __new__(cls, value: object) -> Self:
        text = value if isinstance(value, str) else _digits(value)
        is_of_another_kind = isinstance(value, VendorId) and not isinstance(value, cls)
        if is_of_another_kind or not cls.is_written(text):
            raise ValueError(f"not a {cls.__name__}")
        return cls.of_written(text)

    @classmethod
    def of_written(cls, text: str) -> Self:
        """The id of a text that `is_written` has been asked about."""
        return super().__new__(cls, text if text.startswith(cls.prefix) else cls.prefix + text)

    def is_same(self, other: "VendorId") -> bool:
        """Whether both name one thing: zeros before a number say nothing, nor does a prefix that only one has."""
        if not self.body.endswith(VendorId.body) or type(self) is not type(other):
            return self == other
        (prefix, _, number), (other_prefix, _, other_number) = self.rpartition("_"), other.rpartition("_")
        return int(number) == int(other_number) and (prefix == other_prefix or "" in (prefix, other_prefix))

    @classmethod
    def pattern(cls) -> str:
        """The form of a whole id as a regular expression, with or without its prefix."""
        return f"^(?:{cls.prefix})?(?:{cls.body})$"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls)


class SubaccountId(VendorId):
    """`sub_` and digits."""

    __slots__ = ()
    prefix = "sub_"


class CampaignId(VendorId):
    """`cam_` and digits."""

    __slots__ = ()
    prefix = "cam_"


class PackageId(VendorId):
    """`pac_` and letters or digits, as the package page of the panel shows it."""

    __slots__ = ()
    prefix = "pac_"
    body = "(?!0+$)[0-9A-Za-z]{1,36}"


class DirectoryId(VendorId):
    """`dir_` and digits."""

    __slots__ = ()
    prefix = "dir_"


class DirectoryUserId(VendorId):
    """`reg_` and digits: somebody registered with a directory."""

    __slots__ = ()
    prefix = "reg_"


class CategoryId(VendorId):
    """`cat_` and digits."""

    __slots__ = ()
    prefix = "cat_"


class GroupId(VendorId):
    """`gro_` and digits: a group of SMS or e-mail contacts."""

    __slots__ = ()
    prefix = "gro_"


class EventId(VendorId):
    """`evt_` and letters or digits: one delivery of a webhook."""

    __slots__ = ()
    prefix = "evt_"
    body = "(?!0+$)[0-9A-Za-z]{1,64}"


class TeammateId(VendorId):
    """Digits only; the vendor's document gives teammates no prefix."""

    __slots__ = ()


NO_KNOWN_PREFIX = "(?!(?:sub|cam|pac|dir|reg|cat|gro|evt)_)"
"""Before what may have any prefix, because none is published: one of those above is another kind's."""


class FolderId(VendorId):
    """A folder of campaigns. The vendor publishes no form of it: letters, digits and one underscore are accepted."""

    __slots__ = ()
    body = NO_KNOWN_PREFIX + "(?:[a-z]+_)?(?!0+$)[0-9A-Za-z]{1,36}"


class LoyaltyCardId(VendorId):
    """A loyalty card of the v3 calls. The vendor publishes no prefix: digits with or without one are accepted."""

    __slots__ = ()
    body = NO_KNOWN_PREFIX + "(?:[a-z]+_)?" + VendorId.body


class LoyaltyUserId(VendorId):
    """Somebody who holds a loyalty card. As with the card, no prefix is published."""

    __slots__ = ()
    body = NO_KNOWN_PREFIX + "(?:[a-z]+_)?" + VendorId.body


class SessionCode(VendorId):
    """A coupon session: 21 letters or digits, or the first six of them, which some calls accept in their place.

    Compared as given: capitals matter.
    """

    __slots__ = ()
    body = "[0-9A-Za-z_-]{6,64}"


class PlainId(int):
    """An id of the v4 REST calls: a whole number above zero. Raises ValueError for anything else."""

    def __new__(cls, value: object) -> Self:
        text = value if isinstance(value, str) else _digits(value)
        if not re.fullmatch("0*[1-9][0-9]{0,17}", text, re.ASCII):
            raise ValueError(f"not a {cls.__name__}")
        return super().__new__(cls, text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(cls)
