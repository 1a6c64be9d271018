"""A brand becomes one style sheet, computed once when it is saved and served for ever under its hash."""

import hashlib

from accounts.brand_colours import palette
from accounts.models import Agency, Brand

# Hue and strength of the greys: they lean towards the brand a little, or not at all.
_GREYS = {"cool": (220, 1.0), "plain": (0, 0.0), "warm": (80, 1.0)}
_GREY_STEPS = (
    (50, 98.4, 0.0015),
    (100, 96.6, 0.003),
    (200, 92.5, 0.006),
    (300, 87.0, 0.008),
    (400, 71.0, 0.012),
    (500, 55.5, 0.014),
    (600, 44.0, 0.014),
    (700, 36.5, 0.011),
    (800, 26.2, 0.009),
    (900, 20.5, 0.008),
)


def style_sheet(*, colour: str, grey: str, corner: int) -> str:
    """The brand's custom properties, light and dark in one declaration each."""
    colours = palette(colour)
    hue, strength = _GREYS[grey]
    greys = " ".join(
        f"--tblr-gray-{step}: oklch({lightness:g}% {chroma * strength:g} {hue});"
        for step, lightness, chroma in _GREY_STEPS
    )
    return (
        ":root, [data-bs-theme] {\n"
        f"  --tblr-primary: light-dark({colours['fill']}, {colours['dark_fill']});\n"
        f"  --tblr-primary-fg: light-dark({colours['ink']}, {colours['dark_ink']});\n"
        f"  --portal-accent: light-dark({colours['accent']}, {colours['dark_accent']});\n"
        "  --tblr-primary-lt: color-mix(in oklab, var(--portal-accent) 10%, transparent);\n"
        f"  --tblr-border-radius-sm: {corner - 2}px; --tblr-border-radius: {corner}px;"
        f" --tblr-border-radius-lg: {corner + 4}px;\n"
        f"  {greys}\n"
        "}\n"
    )


def save(agency: Agency, *, colour: str, grey: str, corner: int, logo: bytes = b"") -> Brand:
    """Stores an agency's brand with its style sheet. `logo` is a PNG that we encoded, or empty."""
    colour = colour.lower()
    css = style_sheet(colour=colour, grey=grey, corner=corner)
    brand, _ = Brand.objects.update_or_create(
        agency=agency,
        defaults={
            "colour": colour,
            "grey": grey,
            "corner": corner,
            "logo": logo,
            "css": css,
            "hash": hashlib.sha256(css.encode() + logo).hexdigest()[:16],
        },
    )
    return brand
