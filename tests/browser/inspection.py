"""Looks at a page as it stands: axe, one heading, nothing that scrolls sideways on a phone, a picture."""

from functools import cache

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

from tests.browser.screenshots import Album

WIDE, NARROW = 1280, 360
MENU = "details.menu"
# Colours that are still on their way from light to dark are no colours of ours.
RUN = """async ([within, rules]) => {
  for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish();
  const { violations } = await axe.run(within, { resultTypes: ["violations"], ...rules });
  const said = (rule, node) => `${rule.id} ${node.target} ${node.failureSummary}`.replace(/\\s+/g, " ");
  return violations.flatMap((rule) => rule.nodes.map((node) => said(rule, node)));
}"""
EVERYTHING: dict[str, list[str]] = {}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
Steps = tuple[tuple[int, str, dict[str, list[str]]], ...]
# What is dark instead of light, or of another brand, has other colours, and is the same otherwise.
STEPS: Steps = (
    (WIDE, "light", EVERYTHING),
    (NARROW, "light", EVERYTHING),
    (NARROW, "dark", COLOURS),
    (WIDE, "dark", COLOURS),
)
STEPS_OF_ANOTHER_BRAND: Steps = ((WIDE, "light", COLOURS), (NARROW, "dark", COLOURS))


@cache
def axe_script() -> str:
    return AXE_FILE_PATH.read_text()


class Inspector:
    """Collects what is wrong with the pages it is shown."""

    def __init__(self, album: Album, brand: str, steps: Steps = STEPS) -> None:
        self.album = album
        self.brand = brand
        self.steps = steps
        self.faults: list[str] = []

    def look(self, page: Page, name: str) -> None:
        """Each step, with the menus closed and open.

        Leaves the page wide and light.
        """
        # A click waits until the next page begins to arrive; axe wants all of it.
        page.wait_for_load_state("load")
        page.evaluate(axe_script())
        for width, scheme, rules in self.steps:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            where = f"{self.brand} {name} {width} {scheme}"
            self._note(where, page.evaluate(RUN, ["html", rules]))
            if width == NARROW:
                actual = page.evaluate("document.scrollingElement.scrollWidth")
                self._note(where, [f"scrolls sideways: {actual} px"] if actual > NARROW else [])
            self.album.take(page, where)
            if page.locator(MENU).count():
                self._look_at_menus(page, where, rules, narrow=width == NARROW)
        page.set_viewport_size({"width": WIDE, "height": 800})
        page.emulate_media(color_scheme="light")
        headings = page.locator("h1").count()
        self._note(f"{self.brand} {name}", [f"{headings} first headings"] if headings != 1 else [])

    def _look_at_menus(self, page: Page, where: str, rules: dict[str, list[str]], *, narrow: bool) -> None:
        page.evaluate("document.querySelectorAll('details.menu').forEach((menu) => { menu.open = true; })")
        self._note(f"{where}, menu", page.evaluate(RUN, [MENU, rules]))
        if narrow:
            actual = page.evaluate("document.scrollingElement.scrollWidth")
            self._note(f"{where}, menu", [f"scrolls sideways: {actual} px"] if actual > NARROW else [])
        page.evaluate("document.querySelectorAll('details.menu').forEach((menu) => { menu.open = false; })")

    def _note(self, where: str, faults: list[str]) -> None:
        self.faults += [f"{where}: {fault}" for fault in faults]

    def report(self) -> str:
        """Every fault on a line; empty if there is none."""
        return "\n".join(self.faults)
