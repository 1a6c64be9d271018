"""A session that was ended opens nothing: whatever ended it, at every address, at the very next request."""

from collections.abc import Callable
from http.cookies import SimpleCookie

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import transaction

from accounts import members, operators, people, staff
from accounts.models import Membership, User
from tests.access import world as worlds
from tests.access.making import session_of
from tests.access.rules import ANONYMOUS, EVERYBODY, rule_for
from tests.access.world import Url, World
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db

URLS = [url for url in worlds.urls() if "agency" in url.on]
OPERATORS_URLS = [url for url in worlds.urls() if "platform" in url.on]
SOME = 20  # forms that show that the cookie was good: the pages show it of each address
NEW_PASSWORD = "another bicycle window"
End = Callable[[World, User], None]


def _acting(world: World) -> User:
    return world.people["staff_owner"]


def _membership(person: User) -> Membership:
    return person.memberships.select_related("customer__agency", "person").get()


def _change_password(world: World, person: User) -> None:
    person.set_password(NEW_PASSWORD)
    person.save()


def _change_factor(world: World, person: User) -> None:
    _post(world, person, "/account/2fa/recovery-codes/generate/")
    _post(world, person, "/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.filter(user=person, type="totp").exists()


def _post(world: World, person: User, path: str) -> None:
    """From another of this person's sessions."""
    world.client.cookies = SimpleCookie({"session": session_of(person)})
    world.client.post(path, headers={"host": person.agency.canonical_host if person.agency else worlds.PLATFORM})


def _suspend_membership(world: World, person: User) -> None:
    members.suspend(_membership(person), acting_user=world.people["owner"])


def _remove_membership(world: World, person: User) -> None:
    members.remove(_membership(person), acting_user=world.people["owner"])


def _change_members_role(world: World, person: User) -> None:
    members.change_role(_membership(person), role="viewer", acting_user=world.people["owner"])


def _join_staff(world: World, person: User) -> None:
    people.invite_staff(agency=world.north, email=person.email, staff_role="admin", acting_user=_acting(world))
    people.join(people.open_invitations(world.north).get(email=person.email), acting_user=person)


def _deactivate(world: World, person: User) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def _stop_agency(world: World, person: User) -> None:
    """And lets it go on again: while it is stopped its host answers nobody at all."""
    operators.stop(world.north, reason="A test.", acting_user=world.people["operator"])
    operators.resume(world.north, reason="A test.", acting_user=world.people["operator"])


ENDS: dict[str, tuple[str, End]] = {
    "staff suspended": ("staff_support", lambda world, who: staff.suspend(who, acting_user=_acting(world))),
    "staff removed": ("staff_support", lambda world, who: staff.remove(who, acting_user=_acting(world))),
    "role of staff changed": (
        "staff_support",
        lambda world, who: staff.change_role(who, role="analyst", acting_user=_acting(world)),
    ),
    "agency handed over": ("staff_admin", lambda world, who: staff.hand_over(who, acting_user=_acting(world))),
    "second factor taken away": (
        "staff_admin",
        lambda world, who: staff.reset_second_factor(who, reason="Lost.", acting_user=_acting(world)),
    ),
    "sessions ended by an owner": (
        "staff_admin",
        lambda world, who: staff.end_sessions(who, acting_user=_acting(world)),
    ),
    "second factor changed": ("staff_admin", _change_factor),
    "password of staff changed": ("staff_admin", _change_password),
    "password of a member changed": ("editor", _change_password),
    "member suspended": ("editor", _suspend_membership),
    "member removed": ("editor", _remove_membership),
    "role of a member changed": ("editor", _change_members_role),
    "member works for the agency": ("editor", _join_staff),
    "agency stopped": ("staff_owner", _stop_agency),
    "operator's password changed": ("operator", _change_password),
    "operator deactivated": ("operator", _deactivate),
    "operator's second factor changed": ("operator", _change_factor),
}


def asked(world: World, url: Url, cookie: str, host: str, method: str = "get") -> tuple[int, str]:
    """The status, and where it sends the browser."""
    cache.clear()
    world.client.cookies = SimpleCookie({"session": cookie} if cookie else {})
    with transaction.atomic():
        ask = getattr(world.client, method)
        answer = ask(world.path(url, "own"), headers={"host": world.host(host)})
        transaction.set_rollback(True)
    return int(answer.status_code), answer.headers.get("Location", "")


@pytest.mark.parametrize("cause", ENDS)
def test_the_old_cookie_opens_nothing(cause: str, world: World, record_figure: RecordFigure):
    name, end = ENDS[cause]
    person = User.objects.get(pk=world.people[name].pk)
    host = world.works_at(name)
    urls = OPERATORS_URLS if host == "platform" else URLS
    pages, deeds = [url for url in urls if _is_page(url)], [url for url in urls if _is_deed(url)]
    cookie = session_of(person)
    opened = sum(asked(world, url, cookie, host)[0] == 200 for url in pages)
    let_in = sum(_is_known(world, url, cookie, host) for url in deeds[:SOME])

    end(world, User.objects.get(pk=person.pk))

    still = [url.name for url in pages if asked(world, url, cookie, host)[0] == 200]
    still += [url.name for url in deeds if _is_known(world, url, cookie, host)]
    assert opened > 5
    assert let_in > 5
    assert still == []
    figures = {"causes": 1, "pages asked for": len(pages), "forms sent": len(deeds), "that still opened": len(still)}
    record_figure("Old cookies", figures)


def _needs_sign_in(url: Url) -> bool:
    return rule_for(url.name).who not in (EVERYBODY, ANONYMOUS) and not url.name.startswith("admin:jsi18n")


def _is_page(url: Url) -> bool:
    """Whether nobody but signed-in people may read it, so that 200 means that the session still counts."""
    return _needs_sign_in(url) and 200 in rule_for(url.name).get


def _is_deed(url: Url) -> bool:
    return _needs_sign_in(url) and bool(rule_for(url.name).post)


def _is_known(world: World, url: Url, cookie: str, host: str) -> bool:
    """Whether a form that is sent is answered in another way than it is to somebody without any session."""
    return asked(world, url, cookie, host, "post") != asked(world, url, "", host, "post")


def test_a_session_of_the_old_generation_is_not_even_kept(world: World):
    person = User.objects.get(pk=world.people["editor"].pk)
    cookie = session_of(person)
    members.suspend(_membership(person), acting_user=world.people["owner"])

    world.client.cookies = SimpleCookie({"session": cookie})
    world.client.get("/", headers={"host": "north.localhost"})

    assert not Session.objects.filter(session_key=cookie).exists()
