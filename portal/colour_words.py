"""What a colour means for the pages, in words: contrast, and what we change to keep everything readable."""

from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.brand_colours import contrast, palette
from accounts.brands import is_pale

WHITE = "#ffffff"


@dataclass(frozen=True)
class Remark:
    """One sentence; `icon` and `tone` say how good it is."""

    text: str
    icon: str = "check"
    tone: str = "success"


def remarks(colour: str) -> list[Remark]:
    """What the reader of the brand page is told about the colour that was picked."""
    found = palette(colour)
    as_text = contrast(colour, WHITE)
    said = [_on_it(colour, found["fill"], found["ink"])]
    if found["accent"] == colour:
        said.append(Remark(_("As a link on white: %(ratio)s to 1, used as it is.") % {"ratio": _ratio(as_text)}))
    else:
        said.append(
            Remark(
                _("As a link on white it would have %(ratio)s to 1, so links use a darker tone of it: %(tone)s.")
                % {"ratio": _ratio(as_text), "tone": found["accent"]},
                "info-circle",
                "info",
            )
        )
    if found["dark_accent"] != found["accent"] or found["dark_fill"] != found["fill"]:
        said.append(Remark(_("In the dark theme we lighten it where it needs that."), "info-circle", "info"))
    if is_pale(colour):
        said.append(
            Remark(
                _("On white this colour is hard to see (%(ratio)s to 1). We draw a darker edge around buttons.")
                % {"ratio": _ratio(as_text)},
                "alert-triangle",
                "warning",
            )
        )
    return said


def _on_it(colour: str, fill: str, ink: str) -> Remark:
    words = {"ratio": _ratio(contrast(ink, fill)), "tone": fill}
    if fill != colour:
        text = _("No text is easy to read on it, so buttons use a slightly darker tone, %(tone)s: %(ratio)s to 1.")
        return Remark(text % words, "info-circle", "info")
    if ink == WHITE:
        return Remark(_("White text on it: %(ratio)s to 1. Easy to read.") % words)
    return Remark(_("Dark text on it: %(ratio)s to 1. Easy to read.") % words)


def _ratio(value: float) -> str:
    return number_format(value, decimal_pos=1)
