"""The vendor's ids as types of their own, so that a blank or foreign one cannot be said."""

import re
from typing import Any, ClassVar, Self

from pydantic_core import CoreSchema, core_schema


class VendorId(str):
    """An id as the vendor writes it: a prefix and digits. Bare digits are accepted and get the prefix.

    Raises ValueError for a blank value, zero, or another prefix: an empty id on a sign-on would
    open the agency's own panel.
    """

    __slots__ = ()
    prefix: ClassVar[str]

    def __new__(cls, value: object) -> Self:
        digits = str(value).removeprefix(cls.prefix)
        if not re.fullmatch(r"[0-9]{1,18}", digits, re.ASCII) or not int(digits):
            raise ValueError(f"not a {cls.__name__}")
        return super().__new__(cls, f"{cls.prefix}{digits}")

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


class TeammateId(VendorId):
    """Digits only; the vendor's document gives teammates no prefix."""

    __slots__ = ()
    prefix = ""
