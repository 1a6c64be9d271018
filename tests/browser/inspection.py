"""Looks at a page as it stands: axe, one heading, nothing that scrolls sideways on a phone, a picture."""

from functools import cache

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

from tests.browser.screenshots import Album

WIDE, NARROW = 1280, 360
OPEN_OR_CLOSE = """(open) => { for (const menu of document.querySelectorAll("details.menu")) menu.open = open; }"""
# Colours that are still on their way from light to dark are no colours of ours.
RUN = """async (rules) => {
  for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish();
  const { violations } = await axe.run({ resultTypes: ["violations"], ...rules });
  const said = (rule, node) => `${rule.id} ${node.target} ${node.failureSummary}`.replace(/\\s+/g, " ");
  return violations.flatMap((rule) => rule.nodes.map((node) => said(rule, node)));
}"""
EVERYTHING: dict[str, list[str]] = {}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
CLOSED, OPEN = False, True
Steps = tuple[tuple[int, str, bool, dict[str, list[str]]], ...]
# What is dark instead of light, or of another brand, has other colours, and is the same otherwise. Menus are open at
# every second step: what they cover is seen at the others.
STEPS: Steps = (
    (WIDE, "light", CLOSED, EVERYTHING),
    (NARROW, "light", OPEN, EVERYTHING),
    (NARROW, "dark", CLOSED, COLOURS),
    (WIDE, "dark", OPEN, COLOURS),
)
STEPS_OF_ANOTHER_BRAND: Steps = ((WIDE, "light", OPEN, COLOURS), (NARROW, "dark", CLOSED, COLOURS))


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
        """Each step.

        Leaves the page wide and light.
        """
        # A click waits until the next page begins to arrive; axe wants all of it.
        page.wait_for_load_state("load")
        page.evaluate(axe_script())
        for width, scheme, menus_are_open, rules in self.steps:
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            page.evaluate(OPEN_OR_CLOSE, menus_are_open)
            where = f"{self.brand} {name} {width} {scheme}{', menu' if menus_are_open else ''}"
            self._note(where, page.evaluate(RUN, rules))
            if width == NARROW:
                actual = page.evaluate("document.scrollingElement.scrollWidth")
                self._note(where, [f"scrolls sideways: {actual} px"] if actual > NARROW else [])
            self.album.take(page, where)
        page.evaluate(OPEN_OR_CLOSE, CLOSED)
        page.set_viewport_size({"width": WIDE, "height": 800})
        page.emulate_media(color_scheme="light")
        headings = page.locator("h1").count()
        self._note(f"{self.brand} {name}", [f"{headings} first headings"] if headings != 1 else [])

    def _note(self, where: str, faults: list[str]) -> None:
        self.faults += [f"{where}: {fault}" for fault in faults]

    def report(self) -> str:
        """Every fault on a line; empty if there is none."""
        return "\n".join(self.faults)
