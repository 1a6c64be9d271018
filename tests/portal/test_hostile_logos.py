"""Pictures that mean harm, uploaded as a logo: refused, or written anew without anything that came along."""

import io
import struct
import zlib
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

from accounts.models import Agency, User

pytestmark = pytest.mark.django_db

MARK = b"<script>canary()</script>"
FORM = {
    "name": "North",
    "product_name": "North",
    "support_email": "owner@north.example",
    "colour": "#0f5f5c",
    "grey": "cool",
    "corner": "8",
    "language": "en",
}


def picture(kind: str, size: tuple[int, int] = (64, 32), frames: int = 1, **options: Any) -> bytes:
    written = io.BytesIO()
    pictures = [Image.new("RGB", size, (number * 20 % 255, 90, 90)) for number in range(frames)]
    animated = {"save_all": True, "append_images": pictures[1:]} if frames > 1 else {}
    pictures[0].save(written, kind, **animated, **options)
    return written.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *, data: bytes, before: bytes = b"") -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def gif_that_is_a_script() -> bytes:
    """A GIF whose first bytes are also the start of a JavaScript comment."""
    whole = picture("GIF")
    return whole[:6] + b"/*" + whole[8:] + b"*/=1;canary()//" + MARK


ROWS = zlib.compress((b"\0" + b"\x20" * 3 * 64) * 32)
BOMB = zlib.compress(b"\0" * 150_000_000, 9)

TAKEN = {
    "PNG with a page behind it": picture("PNG") + b"<html>" + MARK,
    "JPEG with a page behind it": picture("JPEG") + b"<html>" + MARK,
    "PNG with a page in its text": png(64, 32, data=ROWS, before=chunk(b"tEXt", b"Comment\0" + MARK)),
    "PNG with a page in a long text": png(
        64, 32, data=ROWS, before=chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MARK))
    ),
    "PNG with a page in a chunk of its own": png(64, 32, data=ROWS, before=chunk(b"scRp", MARK)),
    "PNG with a profile": picture("PNG", icc_profile=MARK * 20),
    "JPEG with a page as its comment": picture("JPEG", comment=MARK),
    "GIF with a page as its comment": picture("GIF", comment=MARK),
    "GIF that is also an archive": picture("GIF") + b"PK\x03\x04" + MARK,
    "animated GIF": picture("GIF", frames=40) + MARK,
    "animated PNG": picture("PNG", frames=40) + MARK,
    "animated WebP": picture("WEBP", frames=40),
    "WebP with a page as its data": picture("WEBP", xmp=MARK),
}
REFUSED = {
    "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" onload="canary()"/>',
    "SVG behind a declaration": b'<?xml version="1.0"?><!DOCTYPE svg><svg><script>canary()</script></svg>',
    "SVG behind spaces": b" " * 4000 + b"<svg onload=canary()>",
    "SVG in UTF-16": "<svg onload=canary()>".encode("utf-16"),
    "compressed SVG": b"\x1f\x8b\x08\x00" + zlib.compress(b"<svg onload=canary()>"),
    "page": b"<!doctype html>" + MARK,
    "page that starts like a GIF": b"GIF89a/*" + MARK + b"*/=1",
    "GIF that is also a script": gif_that_is_a_script()[:30],
    "huge on paper": png(60_000, 60_000, data=ROWS),
    "huge in one direction": png(2_000_000_000, 1, data=ROWS),
    "huge once it is unpacked": png(5_000, 5_000, data=BOMB),
    "no width": png(0, 32, data=ROWS),
    "broken off": picture("PNG")[:60],
    "broken off JPEG": picture("JPEG")[:300],
    "wrong sum": picture("PNG")[:-20] + b"\0" * 20,
    "icon": b"\0\0\1\0\1\0\x10\x10" + b"\0" * 100,
    "TIFF": picture("TIFF"),
    "PostScript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(canary) run\n",
    "PDF": b"%PDF-1.7\n" + MARK,
    "archive": b"PK\x03\x04" + b"\0" * 100,
    "program": b"MZ" + b"\0" * 200,
    "nothing": b"",
    "too much": picture("PNG") + b"\0" * (2 * 1024 * 1024),
}
NAMES = [
    *("../../evil.png", "..\\evil.png", "a/b.png", "x.svg", "x.php.png", "x.html", 'x"><svg onload=canary()>.png'),
    *("x\r\nSet-Cookie: evil=1.png", "x" * 250 + ".png", "con.png", "\u202egnp.exe", ".htaccess", " "),
    "x.png\x00.html",
]
TYPES = ["text/html", "image/svg+xml", "application/javascript", "", "image/png; charset=utf-7", "multipart/mixed"]


def upload(client: Client, content: bytes, name: str = "logo.png", kind: str = "image/png") -> Any:
    return client.post("/console/brand/", FORM | {"logo": SimpleUploadedFile(name, content, content_type=kind)})


@pytest.fixture
def ada_client(client_for: Any, north: Agency, ada: User) -> Client:
    client: Client = client_for(north, ada)
    return client


def served(client: Client, agency: Agency) -> Any:
    agency.brand.refresh_from_db()
    return client.get(f"/brand/{agency.brand.hash}.png")


def assert_is_clean(response: Any) -> None:
    """A PNG of ours, with nothing but pixels, that no browser takes for anything else."""
    made = Image.open(io.BytesIO(response.content))
    assert response.status_code == 200
    assert (made.format, getattr(made, "n_frames", 1), made.info) == ("PNG", 1, {})
    assert b"script" not in response.content
    assert b"canary" not in response.content
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize("kind", TAKEN)
def test_what_can_be_read_is_written_anew(kind: str, ada_client: Client, north: Agency):
    assert upload(ada_client, TAKEN[kind]).status_code == 302

    assert_is_clean(served(ada_client, north))


@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_no_picture_is_refused_with_a_reason(kind: str, ada_client: Client, north: Agency):
    answer = upload(ada_client, REFUSED[kind])

    assert answer.status_code == 200
    assert 'aria-invalid="true"' in answer.text
    assert served(ada_client, north).status_code == 404


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("content", ["picture", "page"])
def test_a_name_means_nothing(name: str, content: str, ada_client: Client, north: Agency):
    answer = upload(ada_client, picture("PNG") if content == "picture" else MARK, name=name)

    assert answer.status_code in (200, 302)
    assert "onload=canary" not in answer.content.decode().replace("&quot;&gt;&lt;svg onload=canary", "")
    if answer.status_code == 302:
        assert_is_clean(served(ada_client, north))


@pytest.mark.parametrize("kind", TYPES)
def test_what_a_browser_says_that_it_is_means_nothing(kind: str, ada_client: Client, north: Agency):
    assert upload(ada_client, picture("PNG"), kind=kind).status_code == 302
    assert_is_clean(served(ada_client, north))
    assert upload(ada_client, MARK, kind="image/png").status_code == 200
