"""A brand becomes one style sheet, computed once when it is saved and served for ever under its hash."""

import hashlib
from typing import Any

from django.db import transaction

from accounts.brand_colours import contrast, palette
from accounts.models import Agency, Brand, Event, User

# What an agency says about itself, beside its colours; in the order of the form.
ABOUT = (
    "name",
    "product_name",
    "tagline",
    "support_email",
    "support_phone",
    "support_hours",
    "outage_message",
    "terms_url",
    "privacy_url",
    "sender_name",
    "language",
)
PALE = 1.5  # less contrast with white than this: a fill alone does not show where a button is

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


def style_sheet(*, colour: str, grey: str, corner: int, within: str = ":root, [data-bs-theme]") -> str:
    """The brand's custom properties, light and dark in one declaration each.

    `within` is the selector that they hold for: a preview must not colour the page around it.
    """
    colours = palette(colour)
    hue, strength = _GREYS[grey]
    greys = " ".join(
        f"--tblr-gray-{step}: oklch({lightness:g}% {chroma * strength:g} {hue});"
        for step, lightness, chroma in _GREY_STEPS
    )
    # The edge shows where a very pale button ends; in the dark it needs none.
    edge = "light-dark(var(--portal-accent), transparent)" if is_pale(colour) else "initial"
    return (
        f"{within} {{\n"
        f"  --tblr-primary: light-dark({colours['fill']}, {colours['dark_fill']});\n"
        f"  --tblr-primary-fg: light-dark({colours['ink']}, {colours['dark_ink']});\n"
        f"  --portal-accent: light-dark({colours['accent']}, {colours['dark_accent']});\n"
        "  --tblr-primary-lt: color-mix(in oklab, var(--portal-accent) 10%, transparent);\n"
        f"  --tblr-border-radius-sm: {corner - 2}px; --tblr-border-radius: {corner}px;"
        f" --tblr-border-radius-lg: {corner + 4}px;\n"
        f"  {greys}\n"
        f"  --portal-edge: {edge};\n"
        "}\n"
    )


def is_pale(colour: str) -> bool:
    """Whether a button in this colour is hard to see on white."""
    return contrast(palette(colour)["fill"], "#ffffff") < PALE


@transaction.atomic
def publish(
    agency: Agency,
    *,
    acting_user: User,
    colour: str,
    grey: str,
    corner: int,
    logo: bytes | None = None,
    **about: str,
) -> list[str]:
    """Changes how an agency looks and what it says about itself (`about`: fields of ABOUT), for all at once.

    `logo` is a PNG that we encoded, empty to remove it, None to keep it. Answers the names of what changed;
    where nothing differs, nothing is written.
    """
    if unknown := about.keys() - set(ABOUT):
        raise ValueError(f"nothing that an agency says about itself: {sorted(unknown)}")
    current = Agency.objects.select_for_update().get(pk=agency.pk)
    brand = Brand.objects.get(agency=current)
    said = [name for name in ABOUT if name in about and getattr(current, name) != about[name]]
    wanted: dict[str, Any] = {"colour": colour.lower(), "grey": grey, "corner": corner}
    if logo is not None:
        wanted["logo"] = logo
    looks = [name for name, value in wanted.items() if _value(brand, name) != value]
    if said:
        for name in said:
            setattr(current, name, about[name])
        current.save(update_fields=said)
    if looks:
        save(current, **({"logo": bytes(brand.logo)} | wanted))
    if said or looks:
        Event.objects.record(
            "brand.changed", agency=agency, acting_user=acting_user, about=brand, changed=[*said, *looks]
        )
    return [*said, *looks]


def _value(brand: Brand, name: str) -> Any:
    value = getattr(brand, name)
    return bytes(value) if name == "logo" else value


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
