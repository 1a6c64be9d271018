"""The colours that a brand file needs, from the one colour an agency chose. Runs once, when the brand is saved.

>>> palette("#ffc629")["ink"], palette("#ffc629")["accent"]
('#14171c', '#826200')
"""

import math
from collections.abc import Callable, Iterable

INKS = ("#ffffff", "#14171c")
LIGHT_PAGE, LIGHT_SURFACE = "#f8f9fb", "#ffffff"
DARK_PAGE, DARK_SURFACE = "#171a20", "#22262e"


def palette(primary: str) -> dict[str, str]:
    """Fill, ink and accent for light and dark surfaces, from one `#rrggbb`."""
    fill = _until(primary, lambda c: contrast(ink_on(c), c) >= 4.5, step=-0.01)
    accent = _until(
        fill, lambda c: _readable(c, 4.7, LIGHT_PAGE, LIGHT_SURFACE, mix(c, LIGHT_SURFACE, 0.12)), step=-0.01
    )
    dark_fill = _until(fill, lambda c: contrast(c, DARK_SURFACE) >= 3.2 and contrast(ink_on(c), c) >= 4.5, step=0.01)
    dark_accent = _until(
        fill, lambda c: _readable(c, 5.5, DARK_PAGE, DARK_SURFACE, mix(c, DARK_SURFACE, 0.16)), step=0.01
    )
    return {
        "fill": fill,
        "ink": ink_on(fill),
        "accent": accent,
        "dark_fill": dark_fill,
        "dark_ink": ink_on(dark_fill),
        "dark_accent": dark_accent,
    }


def ink_on(colour: str) -> str:
    """White or near-black: whichever has more contrast on the colour."""
    return max(INKS, key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast ratio, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """`share` of one colour in the other, in sRGB."""
    return _hex(round(a * share + b * (1 - share)) for a, b in zip(_rgb(one), _rgb(other), strict=True))


def _readable(colour: str, ratio: float, *backgrounds: str) -> bool:
    return all(contrast(colour, background) >= ratio for background in backgrounds)


def _until(colour: str, good: Callable[[str], bool], step: float) -> str:
    """Walks the lightness in OKLCH, so that hue and character stay, until the colour is good."""
    lightness, chroma, hue = _to_oklch(colour)
    while not good(colour) and 0 < lightness + step < 1:
        lightness += step
        colour = _from_oklch(lightness, chroma, hue)
    return colour


def _rgb(colour: str) -> tuple[int, int, int]:
    digits = colour.lstrip("#")
    return int(digits[0:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def _hex(channels: Iterable[int]) -> str:
    return "#" + "".join(f"{channel:02x}" for channel in channels)


def _linear(channel: int) -> float:
    share = channel / 255
    return share / 12.92 if share <= 0.04045 else float(((share + 0.055) / 1.055) ** 2.4)


def _encoded(share: float) -> int:
    share = min(1, max(0, share))
    return round(255 * (share * 12.92 if share <= 0.0031308 else 1.055 * share ** (1 / 2.4) - 0.055))


def _luminance(colour: str) -> float:
    red, green, blue = map(_linear, _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _to_oklch(colour: str) -> tuple[float, float, float]:
    r, g, b = map(_linear, _rgb(colour))
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    medium = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    lightness = 0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short
    green_red = 1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short
    blue_yellow = 0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short
    return lightness, math.hypot(green_red, blue_yellow), math.atan2(blue_yellow, green_red)


def _from_oklch(lightness: float, chroma: float, hue: float) -> str:
    while True:  # less chroma until the colour exists in sRGB
        a, b = chroma * math.cos(hue), chroma * math.sin(hue)
        long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
        medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
        short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
        shares = (
            4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
            -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
            -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
        )
        if chroma < 0.002 or all(-0.001 <= share <= 1.001 for share in shares):
            return _hex(map(_encoded, shares))
        chroma -= 0.004
