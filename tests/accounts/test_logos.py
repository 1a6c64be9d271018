"""What is made of a picture before it is shown to anybody, and what is refused."""

import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from accounts import logos
from accounts.logos import LogoRefused


def picture(kind: str = "PNG", size: tuple[int, int] = (64, 32), mode: str = "RGB", **options: Any) -> bytes:
    written = io.BytesIO()
    Image.new(mode, size, "teal" if mode != "P" else 3).save(written, kind, **options)
    return written.getvalue()


def opened(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png))


def claiming(width: int, height: int) -> bytes:
    """A small PNG that says it is huge."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 1000)
    chunks = b"".join(
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c)) for c in (header, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize(
    ("kind", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("JPEG", "CMYK"), ("WEBP", "RGB"), ("GIF", "P")]
)
def test_each_kind_becomes_a_png(kind: str, mode: str):
    made = opened(logos.encoded(picture(kind, mode=mode)))

    assert (made.format, made.mode, made.size) == ("PNG", "RGBA", (64, 32))


def test_a_large_picture_is_shrunk_and_keeps_its_shape():
    assert opened(logos.encoded(picture(size=(3000, 600)))).size == (512, 102)
    assert opened(logos.encoded(picture(size=(600, 3000)))).size == (51, 256)


def test_what_came_along_with_the_pixels_stays_behind():
    words = PngInfo()
    words.add_text("Comment", "where Bo lives")
    exif = Image.Exif()
    exif[0x010E] = "where Bo lives"
    exif[0x0112] = 6

    for upload in (picture(pnginfo=words, exif=exif), picture("JPEG", exif=exif, comment=b"where Bo lives")):
        made = logos.encoded(upload)
        assert b"Bo lives" not in made
        assert opened(made).size == (32, 64), "turned as the camera says"
        assert opened(made).info == {}


@pytest.mark.parametrize(
    ("upload", "reason"),
    [
        (b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>1</script></svg>', "svg"),
        (b"<SVG onload=alert(1)>", "svg"),
        (b"GIF89a<script>alert(1)</script>", "unreadable"),
        (b"<html></html>", "unreadable"),
        (b"", "unreadable"),
        (b"%PDF-1.7", "unreadable"),
        (picture("BMP"), "unreadable"),
        (picture()[:80], "unreadable"),
        (claiming(30_000, 30_000), "too_many_pixels"),
        (claiming(4_001, 4_000), "too_many_pixels"),
        (b"\x89PNG" + b"0" * logos.MAX_BYTES, "too_large"),
    ],
)
def test_what_is_no_logo_is_refused(upload: bytes, reason: str):
    with pytest.raises(LogoRefused) as refused:
        logos.encoded(upload)

    assert refused.value.reason == reason
