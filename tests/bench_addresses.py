"""What `./run bench` says of sign-in and sign-up: median times for addresses that are known here and that are not.

Run as a process of its own, with the real hasher. Known and unknown take turns, so that whatever else the machine
does falls on both. Prints milliseconds; there is no goal, since the same work is what the suite proves.
"""

import itertools
import statistics
import time
from collections.abc import Callable
from typing import Any

TRIES = 200
HOST = "bench.localhost"


def main() -> None:
    import django

    django.setup()
    from django.core.cache import cache
    from django.core.management import call_command
    from django.test import Client

    from tests import factories

    call_command("migrate", verbosity=0)
    agency = factories.agency("Bench", HOST, keys=("bench-id", "bench-secret"))
    factories.person(agency, "known@bench.example")
    package = str(agency.packages.first().public_id)
    client = Client(headers={"host": HOST})
    numbers = itertools.count(1)

    def sign_in(email: str) -> Any:
        return client.post("/account/login/", {"login": email, "password": "wrong wrong wrong"})

    def sign_up(email: str) -> Any:
        values = {"company_name": "X", "first_name": "X", "last_name": "X", "country": "NL", "package": package}
        return client.post("/account/signup/", values | {"email": email, "password1": factories.PASSWORD})

    def timed(ask: Callable[[str], Any], email: str) -> float:
        cache.clear()
        client.cookies.clear()
        started = time.perf_counter()
        answer = ask(email)
        assert answer.status_code in (200, 302), answer.status_code
        return (time.perf_counter() - started) * 1000

    print(f"\nKnown and unknown addresses: median ms of {TRIES} requests each")
    print(f"{'':32}{'known':>10}{'unknown':>10}{'gap':>8}")
    for title, ask in (("sign-in, wrong password", sign_in), ("sign-up", sign_up)):
        times: dict[str, list[float]] = {"known": [], "unknown": []}
        for number in range(TRIES + 5):
            # Who is asked first takes turns, too.
            for kind in ("known", "unknown") if number % 2 else ("unknown", "known"):
                email = "known@bench.example" if kind == "known" else f"new{next(numbers)}@bench.example"
                took = timed(ask, email)
                if number >= 5:  # the first ones warm it up
                    times[kind].append(took)
        known, unknown = (statistics.median(times[kind]) for kind in ("known", "unknown"))
        print(f"{title:32}{known:>10.1f}{unknown:>10.1f}{known - unknown:>8.1f}", flush=True)


if __name__ == "__main__":
    main()
