"""Every endpoint that the vendor answers: one table, for the server, for tests and for documents."""

from . import assumed
from .rest_routes import REST_ROUTES
from .route import RPC, Route
from .rpc_routes import RPC_ROUTES
from .settings import Settings
from .subaccount_routes import SUBACCOUNT_ROUTES

ROUTES: tuple[Route, ...] = SUBACCOUNT_ROUTES + RPC_ROUTES + REST_ROUTES
# A path with ids gives way to one without: /stats/bulk is no user.
_FIXED = {path: tuple(route for route in ROUTES if route.path == path) for path in {route.path for route in ROUTES}}
_WITH_IDS = tuple(route for route in ROUTES if "{" in route.path)


def routes_at(settings: Settings, path: str) -> tuple[Route, ...]:
    """The endpoints of a path, one a method, that this host answers."""
    found = _FIXED.get(path) or tuple(route for route in _WITH_IDS if route.ids(path) is not None)
    return tuple(route for route in found if _is_answered(settings, route))


def route_of(settings: Settings, method: str, path: str) -> Route | None:
    """The endpoint of a call. With `allow_get` the RPC dialect answers GET, too."""
    for route in routes_at(settings, path):
        if method == route.method or (method == "GET" and route.dialect == RPC and settings.allow_get):
            return route
    return None


def _is_answered(settings: Settings, route: Route) -> bool:
    version = route.path[1:3]
    return version in settings.versions and (settings.inferred_paths or route.path not in assumed.PATHS)
