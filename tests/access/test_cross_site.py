"""A form that somebody else's page sends, at any address, by anybody: refused, whether it has a CSRF token or not."""

from http.cookies import SimpleCookie
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.db import transaction

from tests.access import world as worlds
from tests.access.rules import rule_for
from tests.access.sent import sent
from tests.access.world import World
from tests.figures import RecordFigure

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_what_another_page_sends_is_refused_everywhere(site: str, world: World, record_figure: RecordFigure):
    let_through, number = [], 0
    for url in worlds.urls():
        rule = rule_for(url.name)
        person = rule.who[0] if isinstance(rule.who, tuple) else "anonymous" if rule.who == "anonymous" else "owner"
        host = "platform" if "agency" not in url.on or person == "operator" else "own"
        world.client.cookies = SimpleCookie({"session": world.sessions[person]} if person in world.sessions else {})
        cache.clear()
        for method in ("POST", "PUT", "DELETE"):
            number += 1
            with transaction.atomic():
                answer = world.client.generic(
                    method,
                    world.path(url, "own", person),
                    data=urlencode(sent(url.name, world.own(person))),
                    content_type="application/x-www-form-urlencoded",
                    headers={"host": world.host(host), "sec-fetch-site": site},
                )
                transaction.set_rollback(True)  # a session is ended where it does not belong
            if answer.status_code != 403:
                let_through.append(f"{method} /{url.route}: {answer.status_code}")

    assert let_through == []
    record_figure("Requests from other pages", {"refused": number})
