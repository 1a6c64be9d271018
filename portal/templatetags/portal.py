"""Small pieces of the pages: icons, badges, fields, moments."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from allauth.account import app_settings as account_settings
from django import template
from django.contrib.humanize.templatetags.humanize import naturalday
from django.forms import BaseForm, BoundField, CheckboxInput, Select
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_countries import countries

from portal import wording_time

register = template.Library()


# -- icons and badges --------------------------------------------------------------------------------------------


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """One icon of the sprite. It is never read out: the word beside it says the same."""
    return format_html(
        '<svg class="icon {}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        extra,
        static("vendor/icons.svg"),
        name,
    )


@dataclass(frozen=True)
class Look:
    """How a state is shown: never a colour alone."""

    colour: str
    icon: str
    word: str | Promise
    customer_word: str | Promise = ""


STATES = {
    "awaiting_email": Look("secondary", "mail", gettext_lazy("Waiting for e-mail")),
    "awaiting_approval": Look("purple", "user-question", gettext_lazy("Waiting to be let in")),
    "requested": Look("azure", "clock", gettext_lazy("Queued"), gettext_lazy("Being made")),
    "creating": Look("azure", "loader-2", gettext_lazy("Being made")),
    "uncertain": Look("azure", "eye", gettext_lazy("Being checked")),
    "needs_review": Look("orange", "hand-stop", gettext_lazy("Needs a person"), gettext_lazy("Being checked")),
    "active": Look("green", "circle-check", gettext_lazy("Active")),
    "missing": Look("red", "unlink", gettext_lazy("Missing"), gettext_lazy("Being checked")),
    "paused": Look("orange", "player-pause", gettext_lazy("Paused")),
    "closed": Look("secondary", "lock", gettext_lazy("Closed")),
}
CAMPAIGN_STATUSES = {
    "active": Look("green", "player-play", gettext_lazy("Running")),
    "example": Look("secondary", "file-text", gettext_lazy("Example")),
}


def _badge(look: Look, word: str | Promise) -> SafeString:
    return format_html('<span class="badge bg-{}-lt">{} {}</span>', look.colour, icon(look.icon), word)


@register.simple_tag
def state_badge(state: str, *, for_customer: bool = False) -> SafeString:
    """The state of a subaccount in staff's words, or in the fewer words that a customer reads."""
    look = STATES[str(state)]
    return _badge(look, (for_customer and look.customer_word) or look.word)


@register.simple_tag
def campaign_badge(status: str) -> SafeString:
    """The status of a coupon; one that we do not know is shown as the vendor writes it, and an empty one not at all."""
    if not status:
        return SafeString("")
    look = CAMPAIGN_STATUSES.get(status) or Look("secondary", "info-circle", status.replace("_", " ").capitalize())
    return _badge(look, look.word)


@register.simple_tag(takes_context=True)
def side(context: dict[str, Any], url_name: str, icon_name: str, word: str, number: int = 0) -> SafeString:
    """A line of the console's navigation; the part that the reader is in is marked. `number` is how many wait there."""
    address, here = reverse(url_name), context["request"].path
    is_here = here == address if url_name.endswith(":overview") else here.startswith(address)
    badge = SafeString("")
    if number:
        badge = format_html(
            '<span class="badge bg-orange-lt ms-auto">{}<span class="visually-hidden"> {}</span></span>',
            number,
            _("open"),
        )
    current = SafeString(' aria-current="page"') if is_here else ""
    return format_html('<a class="side" href="{}"{}>{} {}{}</a>', address, current, icon(icon_name), word, badge)


# -- forms -------------------------------------------------------------------------------------------------------


@register.inclusion_tag("partials/field.html")
def field(
    bound: BoundField,
    *,
    label: str | Promise = "",
    hint: str | Promise = "",
    css: str = "",
    side_url: str = "",
    side_text: str | Promise = "",
) -> dict[str, Any]:
    """A label, its field, what is wrong with it and a hint, tied together for those who listen to the page.

    `side_url` and `side_text` put a link opposite the label.
    """
    hint = hint or bound.help_text
    described_by = [
        part for part, exists in ((f"{bound.auto_id}_hint", hint), (f"{bound.auto_id}_error", bound.errors)) if exists
    ]
    widget = bound.field.widget
    kind = "check" if isinstance(widget, CheckboxInput) else "select" if isinstance(widget, Select) else "input"
    base_class = {"check": "form-check-input", "select": "form-select", "input": "form-control"}[kind]
    attrs: dict[str, str | bool] = {
        "class": " ".join(filter(None, (base_class, css, "is-invalid" if bound.errors else ""))),
        "placeholder": False,
    }
    if described_by:
        attrs["aria-describedby"] = " ".join(described_by)
    return {
        "bound": bound,
        "widget": bound.as_widget(attrs=attrs),
        "label": label or bound.label,
        "hint": hint,
        "kind": kind,
        "is_password": getattr(widget, "input_type", "") == "password",
        "side_url": side_url,
        "side_text": side_text,
    }


@register.inclusion_tag("partials/error_summary.html")
def error_summary(form: BaseForm | None) -> dict[str, Any]:
    """What a refused form needs, above it and with a link to each field. Takes the focus."""
    if form is None or not form.errors:
        return {}
    fields = [(bound, error) for bound in form.visible_fields() for error in bound.errors]
    general = [*form.non_field_errors(), *(error for bound in form.hidden_fields() for error in bound.errors)]
    return {"fields": fields, "general": general, "count": len(fields) + len(general)}


@register.simple_tag
def code_minutes(what: str) -> int:
    """How long a code from a mail works, in minutes: `verification` or `password_reset`."""
    seconds = {
        "verification": account_settings.EMAIL_VERIFICATION_BY_CODE_TIMEOUT,
        "password_reset": account_settings.PASSWORD_RESET_BY_CODE_TIMEOUT,
    }[what]
    return int(seconds // 60)


# -- people, money, time -----------------------------------------------------------------------------------------


@register.filter
def initials(person: Any) -> str:
    """Two letters for the round mark beside a name: of the name, else of the e-mail address."""
    names = [name for name in (getattr(person, "first_name", ""), getattr(person, "last_name", "")) if name]
    return ("".join(name[0] for name in names) or str(getattr(person, "email", ""))[:2]).upper()


@register.filter
def money(amount: Decimal, currency: str) -> str:
    """An amount with its currency: €39, €39.50, CHF 12."""
    decimals = 0 if amount == amount.to_integral_value() else 2
    number = number_format(amount, decimal_pos=decimals, use_l10n=True, force_grouping=True)
    symbol = {"EUR": "€", "GBP": "£", "USD": "$"}.get(currency)
    return f"{symbol}{number}" if symbol else f"{currency}\N{NO-BREAK SPACE}{number}"


@register.filter
def country_name(code: str) -> str:
    """The name of a country by its ISO 3166-1 code, in the reader's language."""
    return str(countries.name(code)) or code


register.filter("seconds", wording_time.seconds)
register.filter("waiting_time", wording_time.waiting_time)
register.filter("readable", wording_time.readable)


@register.simple_tag
def moment(value: datetime) -> SafeString:
    """A time as a person says it: today, 9:12."""
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}">{}, {}</time>',
        local.isoformat(timespec="seconds"),
        naturalday(local.date(), "DATE_FORMAT"),
        date_format(local, "TIME_FORMAT"),
    )


@register.filter
def day_before(day: date) -> date:
    """The last day of a period of which the first day after it is known."""
    return day - timedelta(days=1)


BROWSERS = {"Edg/": "Edge", "OPR/": "Opera", "Firefox/": "Firefox", "Chrome/": "Chrome", "Safari/": "Safari"}
DEVICES = {
    "iPhone": gettext_lazy("an iPhone"),
    "iPad": gettext_lazy("an iPad"),
    "Android": gettext_lazy("Android"),
    "Windows": gettext_lazy("Windows"),
    "Macintosh": gettext_lazy("a Mac"),
    "Linux": gettext_lazy("Linux"),
}


@register.filter
def device(user_agent: str) -> str:
    """Browser and device as a person calls them: Chrome on a Mac."""
    browser = next((name for mark, name in BROWSERS.items() if mark in user_agent), "")
    machine = next((str(name) for mark, name in DEVICES.items() if mark in user_agent), "")
    if browser and machine:
        return _("%(browser)s on %(machine)s") % {"browser": browser, "machine": machine}
    return browser or machine or _("An unknown device")
