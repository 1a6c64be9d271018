"""Every address that the portal answers, from its URL configurations."""

from dataclasses import dataclass

from django.urls import URLPattern, URLResolver, get_resolver

CONFIGURATIONS = {"agency": "portal.urls", "platform": "portal.platform_urls"}


@dataclass(frozen=True)
class Address:
    """A route of one kind of host, its name with namespaces, and the view behind it."""

    on: str
    name: str
    route: str
    view: object

    def path(self, **values: str) -> str:
        """A concrete path: `values` by the name of the part, and something that exists nowhere for the others."""
        parts = []
        for part in self.route.replace("<", "\0<").split("\0"):
            inside, bracket, rest = part.partition(">")
            kind, _colon, name = inside.removeprefix("<").partition(":")
            parts.append(values.get(name, NOWHERE.get(kind, "x")) + rest if bracket else part)
        return "/" + "".join(parts)


NOWHERE = {"uuid": "00000000-0000-0000-0000-000000000007", "int": "1"}


def every_address() -> list[Address]:
    """The first of two with one route wins, as it does in Django."""
    found: dict[tuple[str, str], Address] = {}
    for on, configuration in CONFIGURATIONS.items():
        for address in _walk(on, get_resolver(configuration), "", ""):
            found.setdefault((on, address.route), address)
    return list(found.values())


def _walk(on: str, resolver: URLResolver, route: str, namespace: str) -> list[Address]:
    lines: list[Address] = []
    for line in resolver.url_patterns:
        here = route + str(line.pattern)
        if isinstance(line, URLPattern):
            lines.append(Address(on, f"{namespace}{line.name or here}", here, line.callback))
        else:
            lines += _walk(on, line, here, f"{namespace}{line.namespace}:" if line.namespace else namespace)
    return lines
