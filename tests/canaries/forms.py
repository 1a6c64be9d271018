"""The shapes in which a secret may stand somewhere, and the search for all of them."""

import base64
import html
import json
import pickle
from dataclasses import dataclass, field
from urllib.parse import quote, quote_plus

SHORTEST = 6


def forms(secret: str) -> dict[str, bytes]:
    """Every shape of a secret, by name. Base64 has three, by where in a longer text the secret begins."""
    raw = secret.encode()
    escaped = json.dumps(secret)[1:-1]
    shapes = {
        "raw": raw,
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "url-encoded": quote(secret, safe="").encode(),
        "form-encoded": quote_plus(secret).encode(),
        "JSON": escaped.encode(),
        "JSON with slashes escaped": escaped.replace("/", "\\/").encode(),
        "JSON in JSON": json.dumps(escaped)[1:-1].encode(),
        "JSON for a page": escaped.replace("&", "\\u0026").encode(),
        "HTML": html.escape(secret).encode(),
        "repr": repr(secret)[1:-1].encode(),
        "pickled": pickle.dumps(secret, protocol=0)[1:-5],
    }
    for what, content in (("", raw), (" of JSON", escaped.encode())):
        for offset in range(3):
            # Whole groups of three bytes only: what stands before and after changes the letters at the edges.
            inner = content[offset : offset + (len(content) - offset) // 3 * 3]
            shapes[f"base64{what} from {offset}"] = base64.b64encode(inner)
            shapes[f"URL-safe base64{what} from {offset}"] = base64.urlsafe_b64encode(inner)
    return {name: shape for name, shape in shapes.items() if len(shape) >= SHORTEST}


@dataclass
class Canary:
    """A secret of one kind, and the only places where it may stand: `seen` is where it must."""

    kind: str
    secret: str
    seen: str
    also: set[str] = field(default_factory=set)


def hits(canary: Canary, places: dict[str, bytes]) -> list[str]:
    """Where the secret stands, in which shape, apart from where it may."""
    shapes = forms(canary.secret)
    return [
        f"{canary.kind}, {name}, in {place}"
        for place, content in places.items()
        if place not in {canary.seen, *canary.also}
        for name, shape in shapes.items()
        if shape in content
    ]
