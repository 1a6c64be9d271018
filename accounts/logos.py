"""An uploaded picture becomes a logo: a PNG that we wrote ourselves, without anything that came along with it."""

import io

from PIL import Image, ImageOps

MAX_BYTES = 2 * 1024 * 1024
MAX_PIXELS = 16_000_000
LARGEST = (512, 256)
FORMATS = ("PNG", "JPEG", "WEBP", "GIF")


class LogoRefused(Exception):
    """Why a picture cannot be a logo: `svg`, `too_large`, `too_many_pixels` or `unreadable`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def encoded(upload: bytes) -> bytes:
    """The first frame of a PNG, JPEG, WebP or GIF as a PNG of at most LARGEST. Raises LogoRefused."""
    if len(upload) > MAX_BYTES:
        raise LogoRefused("too_large")
    if b"<svg" in upload[:4096].lower():
        raise LogoRefused("svg")
    try:
        with Image.open(io.BytesIO(upload), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise LogoRefused("too_many_pixels")
            upright = ImageOps.exif_transpose(picture).convert("RGBA")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise LogoRefused("too_many_pixels") from None
    except LogoRefused:
        raise
    except Exception:  # bytes that mean harm make a decoder raise anything
        raise LogoRefused("unreadable") from None
    upright.thumbnail(LARGEST)
    # Pixels only: comments, positions and colour profiles of the upload stay behind.
    clean = Image.new("RGBA", upright.size)
    clean.paste(upright)
    written = io.BytesIO()
    clean.save(written, "PNG", optimize=True)
    return written.getvalue()
