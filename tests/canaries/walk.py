"""One walk through everything that has to do with a secret. Each is planted or read where it has its place."""

import email
import json
import re
import secrets
import time
from collections.abc import Callable
from email import policy
from typing import TypeVar
from urllib.parse import parse_qs, quote_plus, urlsplit

import requests

from portal.demo_inbox import totp
from tests.canaries.forms import Canary
from tests.canaries.installation import PATIENCE, Installation
from tests.canaries.visits import Visits, text_of
from tests.flows.visitor import Page, Visitor

ADA, BO, OLU, DEE, GUEST = (
    "ada@north.example",
    "bo@shop.example",
    "olu@platform.example",
    "dee@north.example",
    "refused@shop.example",
)
Found = TypeVar("Found")
CODE = r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$"
RENAMED = ("ALTER TABLE {0} RENAME TO {0}_away", "ALTER TABLE {0}_away RENAME TO {0}")


def made_up(kind: str) -> str:
    """A secret that nobody has seen before."""
    return f"{kind.replace(' ', '-')}-{secrets.token_hex(12)}"


class Walk:
    """Fills an installation through its own pages. `canaries` is what is looked for afterwards."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.visits = Visits(installation)
        self.canaries: list[Canary] = []
        self.legitimate: dict[str, bytes] = {}
        self.passwords: dict[requests.Session, str] = {}
        self.opened = 0

    # -- what is planted, and where it was seen ----------------------------------------------------------------------

    def plant(self, kind: str, secret: str, seen: str, *also: str) -> str:
        self.canaries.append(Canary(kind, secret, seen, set(also)))
        return secret

    def mailed(self, to: str, pattern: str, *, but: str = "") -> tuple[str, str]:
        """The newest mail to the address in which something of that shape stands: that, and the mail's name."""

        def look() -> tuple[str, str] | None:
            for name, (receiver, text) in reversed(self.mails().items()):
                found = re.search(pattern, text, re.M)
                if receiver == to and found and found.group(1) != but:
                    return found.group(1), name
            return None

        return self.waited(look, f"a mail to {to}")

    def mails(self) -> dict[str, tuple[str, str]]:
        found = {}
        for number, (to, content) in enumerate(self.installation.mail.mails, 1):
            message = email.message_from_bytes(content, policy=policy.default)
            body = message.get_body(("plain",))
            assert body is not None
            found[f"mail {number} to {to}"] = to, f"{message['Subject']}\n{body.get_content()}"
        return found

    @staticmethod
    def waited(look: Callable[[], Found | None], what: str) -> Found:
        deadline = time.monotonic() + PATIENCE
        while (found := look()) is None:
            assert time.monotonic() < deadline, f"waited in vain for {what}"
            time.sleep(0.2)
        return found

    def call(self, path: str, word: str = "") -> tuple[str, bytes, bytes]:
        """The newest call to the vendor of that path, with its name."""

        def look() -> tuple[str, bytes, bytes] | None:
            for number, (called, asked, answered) in reversed(list(enumerate(self.installation.wire.calls, 1))):
                if called.endswith(path) and word.encode() in asked + answered:
                    return f"call {number} {called}", asked, answered
            return None

        return self.waited(look, f"a call to {path}")

    # -- the walk ---------------------------------------------------------------------------------------------------

    def all_of_it(self) -> None:
        operator = self.an_operator()
        owner = self.an_owner()
        self.credentials(owner)
        member = self.a_customer()
        self.launch(member, "a launch")
        self.password_link(member)
        self.panel_of_staff(owner)
        self.launch(member, "a white-label launch")
        self.invitations(member, owner)
        self.view_as(operator)
        self.faults(member, owner)
        self.around(member, owner, operator)
        self.new_password()

    def sign_in(self, visitor: Visitor, who: str, address: str, password: str) -> Page:
        page = visitor.send(visitor.get("/account/login/"), field="login", login=address, password=password)
        self.typed(f"password of {who}", password)
        return page

    def open(self, visitor: Visitor, path: str) -> Page:
        """A page that may ask first whether it is still the same person."""
        page = visitor.get(path)
        if page.path == "/account/reauthenticate/":
            page = visitor.send(page, field="password", password=self.passwords[visitor.session])
        assert page.path == path, f"{path} led to {page.path}: {page.title}"
        return page

    @staticmethod
    def button(visitor: Visitor, page: Page, **values: str) -> Page:
        """Presses a button of the page's own form, which leads to the page itself."""
        token = page.form(field="csrfmiddlewaretoken").fields["csrfmiddlewaretoken"]
        return visitor.request("POST", page.path, {"csrfmiddlewaretoken": token, **values}, follow=False)

    def typed(self, kind: str, password: str) -> None:
        """Something that was typed into a form, which it has to be in."""
        seen = next(name for name, body in self.visits.sent.items() if quote_plus(password).encode() in body)
        self.plant(kind, password, seen)

    def session(self, visitor: Visitor, who: str) -> None:
        for cookie in visitor.session.cookies:
            kind = "CSRF secret" if "csrf" in cookie.name else "session key"
            seen = next(name for name, set_ in self.visits.cookies.items() if str(cookie.value).encode() in set_)
            self.plant(f"{kind} of {who}", str(cookie.value), seen)

    def second_factor(self, visitor: Visitor, who: str) -> None:
        page = visitor.get("/account/2fa/totp/activate/")
        shown = self.visits.latest
        seed = self.plant(f"TOTP seed of {who}", text_of(page, "secret"), shown)
        done = visitor.send(page, field="code", code=totp(seed))
        for code in text_of(done, "recovery_codes").split():
            self.plant(f"recovery code of {who}", code, self.visits.latest)

    def an_operator(self) -> Visitor:
        password, visitor = made_up("operators password"), self.visits.at(self.installation.platform)
        self.installation.manage("create_operator", OLU, "--password-env", "OLU_PASSWORD", OLU_PASSWORD=password)
        self.sign_in(visitor, "an operator", OLU, password)
        self.passwords[visitor.session] = password
        self.second_factor(visitor, "an operator")
        self.session(visitor, "an operator")
        return visitor

    def an_owner(self) -> Visitor:
        self.installation.manage(
            *("create_agency", "--name", "North", "--host", self.installation.north, "--owner", ADA),
            *("--package", "pac_1:Starter"),
        )
        token, mail = self.mailed(ADA, r"/invitation/([\w-]+)/")
        self.plant("invitation of staff", token, mail)
        visitor, password = self.visits.at(self.installation.north), made_up("staffs password")
        page = visitor.get(f"/invitation/{token}/")
        values = {name: password for name in page.form(field="password").fields if name.startswith("password")}
        visitor.send(page, field="password", first_name="Ada", last_name="Aalto", **values)
        self.typed("password of staff", password)
        self.passwords[visitor.session] = password
        self.second_factor(visitor, "staff")
        self.session(visitor, "staff")
        page = visitor.get("/account/2fa/webauthn/add/")
        challenge = json.loads(text_of(page, "js_data"))["creation_options"]["publicKey"]["challenge"]
        self.plant("challenge for a passkey", challenge, self.visits.latest)
        return visitor

    def credentials(self, owner: Visitor) -> None:
        for number, place in enumerate(("first", "second"), 1):
            pair = {"client_id": made_up("client"), "client_secret": made_up("secret")}
            account = {
                **pair,
                "packages": ["pac_1"],
                "teammates": ["77"],
                "whitelabel_host": "https://login.north.example",
            }
            self.installation.sandbox("/_state", {"accounts": [account]})
            owner.send(self.open(owner, "/console/connection/pair/"), field="client_id", **pair)
            if number == 1:
                owner.send(self.open(owner, "/console/connection/pair/1/"), action="/pair/1/", do="switch")
            name, asked, _answered = self.call("/subaccount/list", pair["client_id"])
            assert pair["client_secret"].encode() in asked
            self.plant(f"client id, {place} pair", pair["client_id"], name)
            self.plant(f"client secret, {place} pair", pair["client_secret"], name)
        page = owner.get("/console/connection/")
        owner.send(page, action="/switches/", reads_statistics="on", offers_pages="on")

    def a_customer(self) -> Visitor:
        visitor, password = self.visits.at(self.installation.north), made_up("members password")
        package = re.search(r"signup/\?package=([0-9a-f-]{36})", visitor.get("/start/").text)
        assert package
        page = visitor.get(f"/account/signup/?package={package.group(1)}")
        about = {"company_name": "Bo's Bakery", "first_name": "Bo", "last_name": "Bakker", "country": "NL"}
        page = visitor.send(page, field="company_name", email=BO, password1=password, **about)
        code, mail = self.mailed(BO, CODE)
        self.plant("code of a sign-up", code, mail)
        visitor.send(page, field="code", code=code)
        self.waited(lambda: visitor.get("/").state == "active" or None, "the account")
        self.typed("password of a member", password)
        self.passwords[visitor.session] = password
        self.session(visitor, "a member")
        name, asked, _answered = self.call("/subaccount/create")
        self.plant("password that the vendor got", json.loads(asked[asked.index(b"{") :])["password"], name)
        name, _asked, answered = self.call("/v4/subaccount", "api_secret")
        subaccount = json.loads(answered)["subaccount"]
        self.plant("key of a subaccount", subaccount["api_key"], name)
        self.plant("secret of a subaccount", subaccount["api_secret"], name)
        return visitor

    def signed_on(self, kind: str, page: Page, path: str) -> None:
        """A way into the panel that came about: its token in the vendor's answer, its address in ours."""
        location = page.headers["Location"]
        shown = self.visits.latest
        name, _asked, _answered = self.call(path, parse_qs(urlsplit(location).query)["token"][0])
        self.plant(f"address of {kind}", location, shown, name)
        self.plant(f"token of {kind}", parse_qs(urlsplit(location).query)["token"][0], shown, name)

    def launch(self, member: Visitor, kind: str) -> None:
        page = member.send(member.get("/"), action="/launch/", page="campaigns", follow=False)
        self.signed_on(kind, page, "/subaccount/sso")

    def password_link(self, member: Visitor) -> None:
        shown = member.send(member.get("/"), action="/password-link/")
        name, _asked, answered = self.call("/subaccount/reset/url")
        link = json.loads(answered)["subaccount"]["url"]
        assert shown.status == 200
        self.plant("password link", link, self.visits.latest, name)

    def panel_of_staff(self, owner: Visitor) -> None:
        shown = owner.get("/console/customers/")
        customer = re.search(r"/console/customers/([0-9a-f-]{36})/", shown.text)
        assert customer
        page = self.open(owner, f"/console/customers/{customer.group(1)}/launch/")
        page = owner.send(page, field="reason", reason="They asked for help", follow=False)
        self.signed_on("a launch by staff", page, "/subaccount/sso")
        page = self.button(owner, self.open(owner, "/console/panel/"), **{"as": "account"})
        self.signed_on("the agency's own panel", page, "/account/sso")
        person = re.search(r"/console/staff/([0-9a-f-]{36})/", owner.get("/console/staff/").text)
        assert person
        path = f"/console/staff/{person.group(1)}/teammate/"
        owner.send(self.open(owner, path), field="teammate_id", teammate_id="77")
        page = self.button(owner, self.open(owner, "/console/panel/"), **{"as": "teammate"})
        self.signed_on("a teammate's panel", page, "/teammate/sso")
        owner.send(self.open(owner, "/console/connection/panel-host/"), field="host", host="login.north.example")

    def invitations(self, member: Visitor, owner: Visitor) -> None:
        people = f"{member.get('/').path}people/"
        member.send(
            member.get(people), field="email", email=GUEST, role="viewer"
        )  # refused once: a fault of the worker
        token, mail = self.mailed(GUEST, r"/invitation/([\w-]+)/")
        self.plant("invitation of a member", token, mail)
        owner.send(owner.get("/console/staff/"), field="email", email=DEE, role="support")
        token, mail = self.mailed(DEE, r"/invitation/([\w-]+)/")
        self.plant("invitation that meets faults", token, mail)
        guest = self.visits.at(self.installation.north)
        path = f"/invitation/{token}/"
        guest.get(path)
        assert guest.request("POST", path, {"first_name": "no token of the form"}).status == 403
        self.while_away("accounts_invitation", lambda: self.fails(guest.get(path)))

    def view_as(self, operator: Visitor) -> None:
        agency = re.search(r"/operator/agencies/([0-9a-f-]{36})/", operator.get("/operator/").text)
        assert agency
        page = self.open(operator, f"/operator/agencies/{agency.group(1)}/view-as/")
        [person] = [value for value in page.form(field="person").options["person"] if value][:1]
        page = operator.send(page, field="person", person=person, reason="They asked for help", follow=False)
        location, shown = page.headers["Location"], self.visits.latest
        token = self.plant("token of a view", location.rstrip("/").rpartition("/")[2], shown)
        viewer = self.visits.at(self.installation.north)
        self.while_away("accounts_viewas", lambda: self.fails(viewer.get(f"/view-as/{token}/")))
        assert viewer.get(f"/view-as/{token}/").path == "/console/"
        self.session(viewer, "a view")
        self.opened += self.visits.look_around(viewer, "/console/", most=20)

    def new_password(self) -> None:
        visitor = self.visits.at(self.installation.north)
        asked = visitor.send(visitor.get("/account/password/reset/"), field="email", email=BO)
        first = next(canary.secret for canary in self.canaries if canary.kind == "code of a sign-up")
        code, mail = self.mailed(BO, CODE, but=first)
        self.plant("code for a new password", code, mail)
        password = made_up("newer password")
        page = visitor.send(asked, field="code", code=code)
        visitor.send(page, field="password1", password1=password, password2=password)
        self.sign_in(visitor, "a member, newer", BO, password)

    # -- what goes wrong --------------------------------------------------------------------------------------------

    def while_away(self, table: str, doing: Callable[[], None]) -> None:
        away, back = (statement.format(table) for statement in RENAMED)
        self.installation.execute(away)
        try:
            doing()
        finally:
            self.installation.execute(back)

    @staticmethod
    def fails(page: Page) -> None:
        assert page.status == 500, page.status

    def faults(self, member: Visitor, owner: Visitor) -> None:
        """While a sign-on is in somebody's hands: the vendor's answer is spoiled, the event cannot be written."""
        for kind in ("wrong_id", "wrong_token", "wrong_host", "truncated"):
            self.installation.sandbox("/_faults", {"path": "/v3/subaccount/sso", "kind": kind})
            answer = member.send(member.get("/"), action="/launch/", page="statistics", follow=False)
            assert answer.status >= 500, f"{kind}: {answer.status}"
            name, _asked, answered = self.call("/subaccount/sso")
            token = re.search(rb'"token": ?"(\w+)', answered)
            assert token, answered
            self.plant(f"token in an answer with {kind.replace('_', ' ')}", token.group(1).decode(), name)
        page = member.get("/")
        self.while_away(
            "accounts_event",
            lambda: self.fails(member.send(page, action="/launch/", page="statistics", follow=False)),
        )
        name, _asked, answered = self.call("/subaccount/sso")
        subaccount = json.loads(answered)["subaccount"]
        self.plant("token in the hands of a view that failed", subaccount["token"], name)

    def around(self, member: Visitor, owner: Visitor, operator: Visitor) -> None:
        """Every page that somebody finds by links, the lists to download, the data of a person."""
        dashboard = member.get("/").path
        self.opened += self.visits.look_around(
            member, dashboard, "/account/data/", "/account/2fa/", "/account/sessions/"
        )
        self.opened += self.visits.look_around(owner, "/console/", "/console/connection/", "/account/sessions/")
        token = owner.get("/console/customers/").form(action="/export/").fields["csrfmiddlewaretoken"]
        table = owner.request("POST", "/console/customers/export/", {"csrfmiddlewaretoken": token})
        assert "Bo's Bakery" in table.text
        self.opened += self.visits.look_around(operator, "/operator/", "/operator/all/", "/operator/events/")
        assert b"first_name" in self.button(member, self.open(member, "/account/data/")).response.content

    # -- what the installation itself was given ---------------------------------------------------------------------

    def keys_and_passwords(self, given: dict[str, str]) -> None:
        """Settings: seen in the environment of the process that needs them."""
        self.legitimate["environment"] = self.installation.environment_of("web")
        for kind, secret in given.items():
            self.plant(kind, secret, "environment")

    def legitimate_places(self) -> dict[str, bytes]:
        """Where secrets have to be: what was sent to us, cookies, the wire to the vendor, our own settings."""
        calls = {
            f"call {number} {path}": asked + answered
            for number, (path, asked, answered) in enumerate(self.installation.wire.calls, 1)
        }
        sign_ins = {"sign-in at the mail server": b"\n".join(self.installation.mail.sign_ins)}
        return {**self.legitimate, **calls, **sign_ins, **self.visits.cookies, **self.visits.sent}

    def searched_places(self) -> dict[str, bytes]:
        """Where no secret may be, but for the one page or mail that is there to hand it over."""
        return {
            **self.installation.logs(),
            **self.installation.commands,
            **self.installation.command_lines(),
            **{name: text.encode() for name, (_to, text) in self.mails().items()},
            **self.visits.pages,
            "database": self.installation.dump(),
            **{name: listener.everything() for name, listener in self.installation.listeners.items()},
        }
