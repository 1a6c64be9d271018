"""Answers of the vendor and sign-on URLs, spoiled in every way that chance finds. A seed repeats them."""

import copy
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
STATUSES = (
    200,
    200,
    200,
    200,
    200,
    201,
    204,
    206,
    301,
    302,
    400,
    401,
    403,
    404,
    409,
    418,
    422,
    429,
    500,
    502,
    503,
    504,
)
CODES = (
    0,
    -1,
    1,
    101,
    102,
    200,
    300,
    301,
    302,
    303,
    304,
    305,
    502,
    510,
    515,
    999,
    1000,
    "304",
    " 510 ",
    "x",
    None,
    3.4,
)
VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", " ", "0", "OK", "ok ", "failed", "null", "sub_", "sub_0", "cam_12",
    "sub_-1", "sub_12x", "SUB_12", "sub_1 2", "sub_١٢", "12\n", [], {}, [[]], [None], [{}], {"ID": {}}, {"ID": None},
    {"status": "OK"}, "\x00", "\ud800", "é" * 40, "<script>canary()</script>", "x" * 3000, "2026-02-30", "NaN",
    "1e400",
)  # a line each is read best  # fmt: skip
KEYS = (
    "ID",
    "id",
    "Id",
    "status",
    "errors",
    "error_code",
    "subaccount",
    "subaccounts",
    "token",
    "url",
    "",
    "__class__",
)
PAGES = (
    b"",
    b" ",
    b"null",
    b"[]",
    b'"OK"',
    b"0",
    b"{",
    b"}",
    b"<html><body>Bad Gateway</body></html>",
    b"\xff\xfe{}",
    b"\x00",
)


@dataclass(frozen=True)
class Spoiled:
    """An answer as it comes over the wire."""

    status: int
    body: bytes


class Mutator:
    """Spoils answers; `chance` is seeded by the caller."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def answer(self, document: Json, status: int = 200) -> Spoiled:
        """The answer with one to three things wrong: in what it says, how it is written, or how it is sent."""
        chance = self.chance
        document = copy.deepcopy(document)
        for _ in range(chance.choice((0, 1, 1, 1, 2, 3))):
            chance.choice(self._in_the_document)(self, document)
        body = json.dumps(document, ensure_ascii=chance.random() < 0.8).encode("utf-8", "surrogatepass")
        if chance.random() < 0.5:
            body = chance.choice(self._in_the_bytes)(self, body)
        return Spoiled(chance.choice(STATUSES) if chance.random() < 0.4 else status, body)

    # -- what it says ------------------------------------------------------------------------------------------------

    def _places(self, document: Any) -> list[tuple[Any, Any]]:
        found: list[tuple[Any, Any]] = []
        waiting = [document]
        while waiting:
            holder = waiting.pop()
            steps = holder.items() if isinstance(holder, dict) else enumerate(holder)
            for key, value in steps:
                found.append((holder, key))
                if isinstance(value, dict | list):
                    waiting.append(value)
        return found

    def _anywhere(self, change: Callable[[Any, Any], None], document: Json) -> None:
        if places := self._places(document):
            change(*self.chance.choice(places))

    def _replace(self, document: Json) -> None:
        value = copy.deepcopy(self.chance.choice(VALUES))
        self._anywhere(lambda holder, key: holder.__setitem__(key, value), document)

    def _remove(self, document: Json) -> None:
        self._anywhere(lambda holder, key: holder.__delitem__(key), document)

    def _rename(self, document: Json) -> None:
        name = self.chance.choice(KEYS)

        def change(holder: Any, key: Any) -> None:
            if isinstance(holder, dict):
                holder[name] = holder.pop(key)

        self._anywhere(change, document)

    def _add(self, document: Json) -> None:
        name, value = self.chance.choice(KEYS), copy.deepcopy(self.chance.choice(VALUES))

        def change(holder: Any, key: Any) -> None:
            holder.__setitem__(name, value) if isinstance(holder, dict) else holder.append(value)

        self._anywhere(change, document)

    def _wrap(self, document: Json) -> None:
        self._anywhere(lambda holder, key: holder.__setitem__(key, [holder[key]]), document)

    def _unlist(self, document: Json) -> None:
        def change(holder: Any, key: Any) -> None:
            if isinstance(holder[key], list) and holder[key]:
                holder[key] = holder[key][0]

        self._anywhere(change, document)

    def _as_text(self, document: Json) -> None:
        self._anywhere(lambda holder, key: holder.__setitem__(key, json.dumps(holder[key])), document)

    def _fail(self, document: Json) -> None:
        """One of the three envelopes of failure, or something like one."""
        chance = self.chance
        codes: Any = [chance.choice(CODES) for _ in range(chance.randint(0, 3))]
        errors = {"error_code": chance.choice((codes, chance.choice(CODES))), "error_message": "no"}
        word = chance.choice(("failed", "OK", "ok", "FAILED", "", None))
        chance.choice(
            (
                lambda: document.update(status={"status": word, "errors": errors}),
                lambda: document.update(status={"status": word}, errors=errors),
                lambda: document.update(status=word, errors=errors),
                lambda: document.update(status=word),
            )
        )()

    def _deepen(self, document: Json) -> None:
        deep: Any = []
        for _ in range(self.chance.choice((3, 60, 400))):
            deep = [deep]
        document[self.chance.choice(KEYS)] = deep

    _in_the_document = (
        _replace,
        _replace,
        _replace,
        _remove,
        _remove,
        _rename,
        _add,
        _wrap,
        _unlist,
        _as_text,
        _fail,
        _deepen,
    )

    # -- how it is written -------------------------------------------------------------------------------------------

    def _cut(self, body: bytes) -> bytes:
        return body[: self.chance.randrange(len(body) + 1)]

    def _flip(self, body: bytes) -> bytes:
        spoiled = bytearray(body)
        for _ in range(self.chance.randint(1, 3)):
            if spoiled:
                spoiled[self.chance.randrange(len(spoiled))] = self.chance.randrange(256)
        return bytes(spoiled)

    def _insert(self, body: bytes) -> bytes:
        at = self.chance.randrange(len(body) + 1)
        what = self.chance.choice(
            (b"\x00", b"\xff", b'"', b"{", b"]", b",", b"\\u0000", b"\\ud800", b"NaN", b"9" * 400, b"/**/")
        )
        return body[:at] + what + body[at:]

    def _twice(self, body: bytes) -> bytes:
        return body + self.chance.choice((b"", b"\n", b",", b"\x00")) + body

    def _other_encoding(self, body: bytes) -> bytes:
        text = body.decode("utf-8", "replace")
        return text.encode(self.chance.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7")))

    def _double_key(self, body: bytes) -> bytes:
        name = json.dumps(self.chance.choice(KEYS)).encode()
        value = json.dumps(self.chance.choice(VALUES)).encode("utf-8", "surrogatepass")
        return body.replace(b"{", b"{" + name + b": " + value + b", ", 1)

    def _constant(self, body: bytes) -> bytes:
        return body.replace(
            b"{", b'{"n": ' + self.chance.choice((b"NaN", b"Infinity", b"-Infinity", b"1e999")) + b", ", 1
        )

    def _nest(self, body: bytes) -> bytes:
        return b"[" * 100_000 + body

    def _page(self, body: bytes) -> bytes:
        return self.chance.choice(PAGES)

    _in_the_bytes = (_cut, _cut, _flip, _flip, _insert, _insert, _twice, _other_encoding, _double_key, _constant, _page)

    def deep(self, document: Json) -> Spoiled:
        """An answer nested deeper than any reader should follow; large, so it is not among the others."""
        return Spoiled(200, self._nest(json.dumps(document).encode()))

    # -- URLs --------------------------------------------------------------------------------------------------------

    def url(self, url: str) -> str:
        """A sign-on URL that leads somewhere else, or tries to look as if it did not."""
        chance = self.chance
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            url = chance.choice(self._in_the_url)(self, url)
        return url

    def _one_of(self, texts: tuple[str, ...]) -> str:
        return self.chance.choice(texts)

    def _swap_scheme(self, url: str) -> str:
        schemes = (
            "http://", "HTTPS://", "https:/", "https:", "//", "///", "https:///", "javascript://", "data:", "ftp://",
            "file://", "\\\\", "https:\\\\", " https://", "https://\t", "htt\nps://", "blob:https://",
            "view-source:https://", "",
        )  # a line each is read best  # fmt: skip
        return self._one_of(schemes) + url.partition("://")[2]

    def _swap_host(self, url: str) -> str:
        scheme, _, rest = url.partition("://")
        host, slash, path = rest.partition("/")
        evil = self._one_of(
            ("evil.example", "127.0.0.1", "[::1]", "0x7f.1", "2130706433", "évil.example", "xn--vil-9la.example")
        )
        hosts = (
            evil, f"{host}.{evil}", f"{evil}#{host}", f"{host}@{evil}", f"{evil}\\@{host}", f"{evil}?{host}",
            f"{evil}%2f{host}", f"{evil}/{host}", f"{host}:443@{evil}", f"{host}%00.{evil}", f"{host}\t.{evil}",
            f"{host}。{evil}", f"{host}.", f".{host}", f"{host}:8443", f"{host}:0443", f"{host}:", f"{host}:443",
            f"{host}:99999", f"{host}:-1", host.upper(), host.replace("o", "\u043e"), host.replace(".", "\u3002"),
            host.replace(".", "%2e"), f"user@{host}", f"user:pw@{host}", f"@{host}", f":@{host}", f"{host}\\.{evil}",
            f"{host};{evil}", f"{host},{evil}", f"[{host}]", f"{host}{evil}", "", f"{evil}:443#@{host}",
            f"{evil}:80\\@{host}:443", f"\uff0f{evil}", f"{host}\u2028.{evil}", f"{host}\u00ad", f"{host}\u200b",
        )  # a line each is read best  # fmt: skip
        return f"{scheme}://{self._one_of(hosts)}{slash}{path}"

    def _insert_anywhere(self, url: str) -> str:
        at = self.chance.randrange(len(url) + 1)
        what = self._one_of(
            ("\t", "\n", "\r", "\\", "@", "#", "?", "/", ":", "%", "%00", "\x00", "\u200d", "\uff20", ".", " ", ";")
        )
        return url[:at] + what + url[at:]

    def _drop_anywhere(self, url: str) -> str:
        at = self.chance.randrange(len(url) + 1)
        return url[:at] + url[at + self.chance.randint(1, 3) :]

    def _swap_anywhere(self, url: str) -> str:
        at = self.chance.randrange(len(url) + 1)
        return (
            url[:at]
            + chr(self.chance.choice((self.chance.randrange(128), self.chance.randrange(0x3000))))
            + url[at + 1 :]
        )

    _in_the_url = (_swap_scheme, _swap_host, _swap_host, _swap_host, _insert_anywhere, _drop_anywhere, _swap_anywhere)
