"""Starting, stopping, starting again."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from coupontools_api.sandbox import Sandbox
from tests.signals import heed_signals

from .conftest import Caller, keys

LIST = "/v4/subaccount/list"
CREATE = "/v4/subaccount/create"
ROOT = Path(__file__).parents[2]


def test_a_restart_keeps_what_the_vendor_knows(tmp_path):
    file = str(tmp_path / "var" / "sandbox.sqlite3")
    with Sandbox(state=file) as sandbox:
        sandbox.add_account("north", "secret")
        sandbox.settings(email_unique="per_vendor")
        bo = sandbox.add_subaccount("north", email="bo@bakery.test")
        caller = Caller(sandbox.url, keys("north", "secret"))
        url = caller.post("/v3/subaccount/sso", subaccount=bo).json["subaccount"]["url"]
        before = (sandbox.requests(), sandbox.effects(), sandbox.subaccounts(), sandbox.settings())

    with Sandbox(state=file) as sandbox:
        after = (sandbox.requests(), sandbox.effects(), sandbox.subaccounts(), sandbox.settings())
        path = "/" + url.split("/", 3)[3]
        entered = Caller(sandbox.url).get(path).status

    assert after == before
    assert entered == 302


@pytest.mark.parametrize("kind", ["hang", "slow_drip"])
def test_it_stops_at_once_in_the_middle_of_a_fault(kind):
    sandbox = Sandbox()
    sandbox.start()
    sandbox.add_account("north", "secret")
    sandbox.fault(LIST, kind, seconds=60)
    caller = Caller(sandbox.url, keys("north", "secret"), timeout=30)
    errors = []

    def call() -> None:
        try:
            caller.post(LIST)
        except (http.client.HTTPException, OSError) as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    while not sandbox.requests():
        time.sleep(0.01)
    start = time.monotonic()
    sandbox.stop()
    took = time.monotonic() - start
    thread.join(timeout=5)

    assert took < 10  # of sixty
    assert len(errors) == 1


def test_it_leaves_no_thread_and_no_socket_behind():
    threads, sockets = set(threading.enumerate()), len(os.listdir("/proc/self/fd"))
    with Sandbox() as sandbox:
        sandbox.add_account("north", "secret")
        port = int(sandbox.panel_host.partition(":")[2])
        idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        sandbox.fault(CREATE, "late_effect", seconds=60, then="html")
        Caller(sandbox.url, keys("north", "secret")).post(CREATE, email="new@cafe.test")
    for connection in idle:
        connection.close()

    assert set(threading.enumerate()) <= threads
    assert len(os.listdir("/proc/self/fd")) <= sockets
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))


def test_a_reset_forgets_effects_still_to_come(sandbox, ada):
    sandbox.fault(CREATE, "late_effect", seconds=0.2, then="html")
    ada.post(CREATE, email="new@cafe.test")

    sandbox.reset()
    time.sleep(0.3)

    assert sandbox.subaccounts() == sandbox.effects() == []


def test_sign_on_links_can_name_another_panel():
    with Sandbox(panel_url="https://panel.test/") as sandbox:
        sandbox.add_account("north", "secret")
        answer = Caller(sandbox.url, keys("north", "secret")).post("/v3/account/sso").json["account"]

        assert answer["url"].startswith("https://panel.test/index.php?")
        assert sandbox.panel_host == "panel.test"


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6 here")
def test_it_listens_on_the_other_loopback_too():
    try:
        with Sandbox(host="::1") as sandbox:
            assert sandbox.url.startswith("http://[::1]:")
            assert Caller(sandbox.url).post(LIST).codes == 1000
    except OSError as problem:
        pytest.skip(f"no IPv6 loopback: {problem}")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificate")
def test_it_speaks_tls(tmp_path):
    certificate, key = str(tmp_path / "cert.pem"), str(tmp_path / "key.pem")
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        f" -keyout {key} -out {certificate} -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    )
    subprocess.run(command.split(), check=True, capture_output=True, timeout=30)
    trust = ssl.create_default_context(cafile=certificate)
    with Sandbox(tls=(certificate, key)) as sandbox:
        sandbox.add_account("north", "secret")
        sandbox.fault(LIST, "reset_before", call=2)
        port = int(sandbox.panel_host.partition(":")[2])
        half_open = socket.create_connection(("127.0.0.1", port))
        connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=5, context=trust)
        connection.request("POST", LIST, b"", keys("north", "secret"))
        status = connection.getresponse()
        status.read()
        connection.request("POST", LIST, b"", keys("north", "secret"))

        assert sandbox.url.startswith("https://")
        assert status.status == 200
        with pytest.raises(ConnectionResetError):
            connection.getresponse()
    connection.close()
    half_open.close()


def test_a_file_from_before_accounts_had_campaigns_still_opens(tmp_path):
    file = str(tmp_path / "sandbox.sqlite3")
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.executescript(
            "CREATE TABLE campaign (number INTEGER PRIMARY KEY, subaccount INTEGER NOT NULL, data TEXT NOT NULL);"
            "CREATE INDEX campaign_subaccount ON campaign (subaccount);"
            """INSERT INTO campaign VALUES (50001, 1001, '{"name": "Spring", "status": "active", "code": "abc"}');"""
        )

    for _ in range(2):
        with Sandbox(state=file) as sandbox:
            sandbox.add_account("north", "secret")
            sandbox.add_subaccount("north", ID="sub_1001", email="bo@bakery.test")
            (bo,) = sandbox.subaccounts()
            assert [campaign["ID"] for campaign in bo["campaigns"]] == ["cam_50001"]


class TestCommand:
    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "coupontools_api.sandbox", *arguments]
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, cwd=ROOT, text=True, preexec_fn=heed_signals, **pipes)

    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_serves_until_it_is_told_to_end(self, tmp_path, number):
        state = str(tmp_path / "sandbox.sqlite3")
        process = self.start("--port", "0", "--state", state, "--account", "demo:s:pac_1,pac_2")
        try:
            line = process.stdout.readline()
            caller = Caller(line.split()[-1], keys("demo", "s"))
            made = caller.post(CREATE, email="new@cafe.test", package="pac_2").status
            process.send_signal(number)
            rest, errors = process.communicate(timeout=5)
        finally:
            process.kill()

        assert made == 200
        assert (process.returncode, rest, errors) == (0, "", "")

    @pytest.mark.parametrize(("arguments", "amount"), [((), 6), (("--world", "4"), 6), (("--no-world",), 0)])
    def test_it_has_a_past_unless_told_otherwise(self, arguments, amount):
        process = self.start("--port", "0", "--account", "demo:s", *arguments)
        try:
            caller = Caller(process.stdout.readline().split()[-1], keys("demo", "s"))
            campaigns = caller.post("/v3/coupon/list").json["coupon_info"]
        finally:
            process.kill()
            process.communicate()

        assert len(campaigns) == amount

    def test_it_names_a_busy_port(self, running):
        port = running.panel_host.partition(":")[2]

        process = self.start("--port", port)
        out, errors = process.communicate(timeout=10)

        assert process.returncode == 2
        assert out == ""
        assert errors == f"Port {port} on 127.0.0.1 is in use by another program.\n"

    def test_it_refuses_an_address_that_others_can_reach(self):
        process = self.start("--host", "0.0.0.0")
        _, errors = process.communicate(timeout=10)

        assert process.returncode == 2
        assert "loopback" in errors

    def test_it_wants_whole_accounts(self):
        process = self.start("--account", "demo")
        _, errors = process.communicate(timeout=10)

        assert process.returncode == 2
        assert "ID:SECRET" in errors
