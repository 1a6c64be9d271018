"""What a door may answer instead of doing what it was asked. The portal turns each into a page."""


class DoorError(Exception):
    """Something the caller has to tell the reader."""


class NotAllowed(DoorError):
    """The object is not in a state, or the person not in a role, in which this may be done."""


class Unavailable(DoorError):
    """The vendor cannot be reached, does not answer in time, or we do not ask it now. Nothing was changed."""


class NotFoundAtVendor(DoorError):
    """The vendor no longer knows this subaccount; its state is MISSING from now on."""


class SuspiciousReply(DoorError):
    """The vendor's answer speaks of another subaccount, token or host, and was refused."""


class BadCredentials(DoorError):
    """The vendor refuses the agency's credentials."""
