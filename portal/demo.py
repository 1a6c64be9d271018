"""`./run demo`: everything at once on this machine, for a newcomer. Ctrl-C stops it all; data stays in var/."""

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import FrameType

VAR = Path(__file__).resolve().parent.parent / "var"
SANDBOX_PORT = int(os.environ.get("SANDBOX_PORT", "8090"))
START_SECONDS = 40
STOP_SECONDS = 25.0  # longer than the web server gives the requests that it still answers
TOLD_TO_END = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # the last when the window is closed
LET_GO_SECONDS = 3.0  # a demo that has just been ended may still have its ports


def settings_of_the_demo() -> dict[str, str]:
    """The demo's environment: whatever `.env` says, this one is local and talks to the sandbox."""
    sandbox = f"127.0.0.1:{SANDBOX_PORT}"
    return {
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "PORTAL_ENV_FILE": os.environ.get("PORTAL_ENV_FILE", "/nonexistent"),
        "DEPLOYMENT": "local",
        "PLATFORM_HOST": "platform.localhost",
        "COUPONTOOLS_API_URL": f"http://{sandbox}",
        "COUPONTOOLS_PANEL_HOSTS": sandbox,
        "PORT": os.environ.get("PORT", "8000"),
        # A demo that is looked at in one sitting: shorter waits, the same rules.
        "PROVISIONING_QUARANTINE_SECONDS": os.environ.get("PROVISIONING_QUARANTINE_SECONDS", "30"),
        "PROVISIONING_LOOK_GAP_SECONDS": os.environ.get("PROVISIONING_LOOK_GAP_SECONDS", "10"),
        "LOG_LEVEL": os.environ.get("LOG_LEVEL", "WARNING"),
    }


def refuse_busy_port(port: int, setting: str, what: str) -> None:
    """Ends with one clear sentence if something else answers on the port, and goes on doing so."""
    deadline = time.monotonic() + LET_GO_SECONDS
    while not _is_free(port):
        if time.monotonic() > deadline:
            sys.exit(
                f"Port {port} is busy, and {what} needs it. Stop what uses it, or choose another:\n"
                f"  {setting}={port + 10} ./run demo"
            )
        time.sleep(0.1)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def start(*command: str) -> subprocess.Popen[bytes]:
    """A child that ends with us; on Linux even if we are killed.

    Ctrl-C reaches us alone: gunicorn tells its workers itself, and one that is told twice at once may wait for ever for
    a lock that it holds.
    """
    return subprocess.Popen([sys.executable, *command], preexec_fn=_end_with_parent, process_group=0)


def _end_with_parent() -> None:
    if sys.platform == "linux":
        set_parent_death_signal = 1
        ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def wait_for(url: str, host: str, child: subprocess.Popen[bytes]) -> None:
    """Until the address answers 200; ends with a message if it does not."""
    request = urllib.request.Request(url, headers={"Host": host})
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and child.poll() is None:
        try:
            with urllib.request.urlopen(request, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"{url} did not answer within {START_SECONDS} seconds; its own words are above.")


def main() -> None:
    os.environ.update(settings_of_the_demo())
    port = int(os.environ["PORT"])
    refuse_busy_port(port, "PORT", "the portal")
    refuse_busy_port(SANDBOX_PORT, "SANDBOX_PORT", "the sandbox")
    VAR.mkdir(exist_ok=True)
    children: list[subprocess.Popen[bytes]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        _be_told_no_more()
        raise KeyboardInterrupt

    for number in TOLD_TO_END:
        if signal.getsignal(number) is not signal.SIG_IGN:  # by nohup, for example
            signal.signal(number, stop)
    try:
        _run(port, children)
    except KeyboardInterrupt:
        print("\nStopping …", flush=True)
    finally:
        _be_told_no_more()
        for child in children:
            child.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in children:
            try:
                child.wait(timeout=max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _be_told_no_more() -> None:
    """Once is enough: to be told again, while the children are ended, would leave some behind."""
    for number in TOLD_TO_END:
        signal.signal(number, signal.SIG_IGN)


def _run(port: int, children: list[subprocess.Popen[bytes]]) -> None:
    import django  # noqa: PLC0415 -- the environment above comes first

    django.setup()
    from django.core.management import call_command  # noqa: PLC0415 -- after django.setup()

    from accounts import demo_data  # noqa: PLC0415 -- after django.setup()

    print("Preparing the database …", flush=True)
    call_command("migrate", verbosity=0)
    is_new = demo_data.seed()
    children.append(
        start("-m", "coupontools_api.sandbox", "--port", str(SANDBOX_PORT), "--state", str(VAR / "sandbox.sqlite3"))
    )
    wait_for(f"http://127.0.0.1:{SANDBOX_PORT}/_state", f"127.0.0.1:{SANDBOX_PORT}", children[-1])
    demo_data.seed_sandbox(f"http://127.0.0.1:{SANDBOX_PORT}")
    children.append(start("-m", "portal.serve"))
    children.append(start("manage.py", "work"))
    wait_for(f"http://127.0.0.1:{port}/account/login/", demo_data.NORTHLIGHT.host, children[-2])
    print(welcome(port, is_new=is_new), flush=True)
    while all(child.poll() is None for child in children):
        time.sleep(0.5)
    ended = next(child for child in children if child.poll() is not None)
    sys.exit(f"{' '.join(map(str, ended.args[1:]))} ended; its own words are above.")


def welcome(port: int, *, is_new: bool) -> str:
    from accounts import demo_data  # noqa: PLC0415 -- after django.setup()

    lines = ["", "The portal is running." if is_new else "The portal is running, with the data it had.", ""]
    for agency in demo_data.AGENCIES:
        lines.append(f"  {agency.name + ':':15}http://{agency.host}:{port}/start/   (sign up as a new customer)")
    platform = f"http://platform.localhost:{port}"
    lines += [
        f"  {'Mails, codes:':15}{platform}/demo/   (every mail that was sent, and two-step codes)",
        f"  {'Sandbox:':15}http://127.0.0.1:{SANDBOX_PORT}/_ledger   (what the stand-in for the vendor was asked)",
        "",
        f"  Sign-ins, all with the password “{demo_data.PASSWORD}”:",
    ]
    for person in demo_data.PEOPLE:
        lines.append(
            f"    {person.email:27}http://{person.host or 'platform.localhost'}:{port}/account/login/  {person.what}"
        )
    names = " ".join([*(agency.host for agency in demo_data.AGENCIES), "platform.localhost"])
    lines += [
        "",
        "  If your browser does not find these names, add this line to /etc/hosts:",
        f"    127.0.0.1 {names}",
        "  If the portal runs on another machine, forward both ports, and open the addresses here:",
        f"    ssh -L {port}:127.0.0.1:{port} -L {SANDBOX_PORT}:127.0.0.1:{SANDBOX_PORT} that-machine",
        "",
        "Ctrl-C stops everything; the data stays in var/.",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
