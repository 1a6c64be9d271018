"""One row per endpoint: how it is called, what goes over the wire, a good answer, and what is read from it."""

from tests.coupontools_api.calls_rest import REST_CALLS
from tests.coupontools_api.calls_rpc import RPC_CALLS

CALLS = RPC_CALLS | REST_CALLS
