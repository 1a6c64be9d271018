"""Small pieces of the pages about people."""

from typing import Any

from django import template

from portal import wording_people
from portal.access import User

register = template.Library()


@register.filter
def role_word(role: str) -> str:
    """A role as a word."""
    return wording_people.role_word(role)


@register.filter
def second_step(person: User) -> str:
    """How somebody proves themselves beside the password."""
    return wording_people.second_step(person)


@register.inclusion_tag("partials/roles.html")
def roles(bound: Any, *, of_staff: bool) -> dict[str, Any]:
    """The question which role somebody gets, each explained in one line."""
    radios = [(radio, wording_people.role_line(str(radio.data["value"]), of_staff=of_staff)) for radio in bound]
    return {"bound": bound, "radios": radios}
