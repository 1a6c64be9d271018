"""Shows recorded pages in a browser, many at once, and notes whatever ran, asked elsewhere or broke the policy.

Each page stands in a frame of its own, parsed and run as it was answered. Its policy is sent as report-only: nothing
is blocked that the escaping should have caught, and what the policy would have blocked is reported.
"""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from django.contrib.staticfiles import finders
from playwright.sync_api import BrowserContext, BrowserType

from tests.hostile.world import Answer

FRAMES_AT_ONCE = 100
# Small, for what is large is drawn. And icons say nothing of anybody, while each is a document to draw.
FRAMES = "<!doctype html><style>iframe {{ width: 20px; height: 20px }}</style><body>{}"
ICON = re.compile(rb'<use href="/static/vendor/icons\.svg#[a-z0-9-]+"></use>')
# Says what runs in a page; a payload calls one of these.
TELLS = """
for (const name of ["canary", "alert", "confirm", "prompt", "print", "open"]) {
  window[name] = () => { (top.ran ??= []).push(`${name} in ${location.pathname}`); };
}
document.addEventListener("securitypolicyviolation", (event) => {
  (top.ran ??= []).push(`policy: ${event.effectiveDirective} ${event.blockedURI} in ${location.pathname}`);
});
"""
# What ran; then the ways that a click would take, where they run something or lead to no page.
HEARD = """() => {
  const heard = window.ran ?? [];
  for (const frame of document.querySelectorAll("iframe")) {
    const inside = frame.contentDocument;
    if (inside === null) { heard.push(`left: ${frame.getAttribute("src")}`); continue; }
    for (const element of inside.querySelectorAll("*"))
      for (const name of element.getAttributeNames())
        if (/^(on|hx-on|srcdoc$)/.test(name)) heard.push(`${element.tagName} ${name} in ${inside.location.pathname}`);
    for (const element of inside.querySelectorAll("iframe, object, embed, base, style, meta[http-equiv]"))
      heard.push(`${element.tagName} in ${inside.location.pathname}`);
    for (const element of inside.querySelectorAll("[href], [src], [action], [formaction]"))
      for (const name of ["href", "src", "action", "formaction"]) {
        const way = element.getAttribute(name);
        if (way === null || way === "data:," || !URL.canParse(way, inside.baseURI)) continue;
        if (!/^(https?|mailto|tel):$/.test(new URL(way, inside.baseURI).protocol))
          heard.push(`${name}=${way.slice(0, 80)} in ${inside.location.pathname}`);
      }
  }
  return heard;
}"""


@dataclass
class Replay:
    """Recorded pages behind a port. `strange` are the requests that no page of ours makes."""

    pages: list[Answer]
    sheets: dict[str, bytes]
    port: int = 0
    strange: list[str] = field(default_factory=list)

    def answer(self, path: str) -> tuple[int, str, bytes, str]:
        """Status, type, body and policy of a path."""
        if found := re.fullmatch(r"/page/(\d+)", path):
            page = self.pages[int(found.group(1))]
            return 200, "text/html; charset=utf-8", ICON.sub(b"", page.body), page.policy
        if found := re.fullmatch(r"/frames/(\d+)", path):
            first = int(found.group(1))
            last = min(first + FRAMES_AT_ONCE, len(self.pages))
            frames = "".join(f'<iframe src="/page/{number}"></iframe>' for number in range(first, last))
            return 200, "text/html; charset=utf-8", FRAMES.format(frames).encode(), ""
        if path in self.sheets:
            return 200, "text/css; charset=utf-8", self.sheets[path], ""
        name = path.partition("?")[0]
        if name.startswith("/static/") and name.endswith(".css"):
            return 200, "text/css", b"", ""  # holds nothing of anybody
        if name.startswith("/static/") and (file := finders.find(name.removeprefix("/static/"))):
            kind = {"js": "text/javascript", "svg": "image/svg+xml"}
            return 200, kind.get(name.rpartition(".")[2], "application/octet-stream"), Path(file).read_bytes(), ""
        if re.fullmatch(
            r"/(brand/[0-9a-f]+\.(png|css)|c/[0-9a-f-]+/(setup/)?|console/brand/preview\.css\?.*|favicon\.ico)", path
        ):
            return 204, "text/plain", b"", ""
        self.strange.append(path)
        return 404, "text/plain", b"", ""


@contextmanager
def serving(replay: Replay) -> Iterator[Replay]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, kind, body, policy = replay.answer(self.path)
            self.send_response_only(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if policy:
                watched = re.sub(r"frame-ancestors [^;]*;?", "", policy)
                self.send_header("Content-Security-Policy-Report-Only", watched)
                self.send_header("Cache-Control", "no-store")
            else:
                self.send_header("Cache-Control", "max-age=3600")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    replay.port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield replay
    finally:
        server.shutdown()
        server.server_close()


@contextmanager
def browser_for(replay: Replay, browser_type: BrowserType, options: dict[str, Any]) -> Iterator[BrowserContext]:
    """A browser that finds nothing but the replay. What asks elsewhere breaks the policy, which is how it is heard."""
    nowhere = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
    browser = browser_type.launch(**options | {"args": [*options["args"], nowhere]})
    context = browser.new_context(base_url=f"http://127.0.0.1:{replay.port}", locale="en-GB")
    context.add_init_script(TELLS)
    try:
        yield context
    finally:
        browser.close()


def show(replay: Replay, context: BrowserContext) -> tuple[list[str], int]:
    """Opens all pages. What ran, asked elsewhere, broke the policy or leads to a script; and how many pages loaded."""
    heard: list[str] = []
    loads = 0
    for first in range(0, len(replay.pages), FRAMES_AT_ONCE):
        page = context.new_page()
        page.goto(f"/frames/{first}", wait_until="load", timeout=60_000)
        loads += 1
        page.wait_for_timeout(50)  # what an animation or a focus starts
        heard += page.evaluate(HEARD)
        page.close()
    named = re.compile(r"/page/(\d+)")
    explained = [
        f"{line}: {replay.pages[int(found.group(1))].path} {replay.pages[int(found.group(1))].payload!r}"
        if (found := named.search(line))
        else line
        for line in heard + replay.strange
    ]
    return explained, loads
