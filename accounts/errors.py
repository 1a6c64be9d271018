"""What a door may answer instead of doing what it was asked. The portal turns each into a page."""


class DoorError(Exception):
    """Something the caller has to tell the reader."""


class NotAllowed(DoorError):
    """The object is not in a state, or the person not in a role, in which this may be done."""


class Unavailable(DoorError):
    """The vendor refused, did not answer in time, or could not be reached. Nothing was changed."""


class NoReply(Unavailable):
    """No answer came in time."""


class Unreached(Unavailable):
    """Nothing could be sent to the vendor."""


class NotAskedNow(Unavailable):
    """We do not ask the vendor at the moment: its breaker is open, it asked us to slow down, or many wait for it."""


class UnderWay(Unavailable):
    """The same person's last click is still being answered."""


class NotThereYet(Unavailable):
    """The vendor made the subaccount a moment ago, and does not know it for every question yet."""


class CampaignGone(Unavailable):
    """The vendor no longer knows the campaign."""


class TeammateGone(Unavailable):
    """The vendor does not know the teammate number."""


class NotFoundAtVendor(DoorError):
    """The vendor no longer knows this subaccount; its state is MISSING from now on."""


class SuspiciousReply(DoorError):
    """The vendor's answer speaks of another subaccount, token or host, and was refused."""


class BadCredentials(DoorError):
    """The vendor refuses the agency's credentials, or this one account: which, the prober finds out."""


class TryLater(Exception):
    """No door's: what a worker took up cannot be done now, and stays due."""


DROPPED = "dropped"  # of a mail that nobody got: what it was to say was over
STOPPED = "stopped"  # why nothing is done of what an agency that the operator has stopped is owed
