"""Looks at a page as it stands: axe, one heading, nothing that scrolls sideways on a phone, a picture."""

from functools import cache

from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page

from tests.browser.screenshots import Album

WIDE, NARROW = 1280, 360
# Menus first. Colours that are still on their way from light to dark are no colours of ours. Last, how wide it is.
RUN = """async ({ open, rules }) => {
  for (const menu of document.querySelectorAll("details.menu")) menu.open = open;
  for (const change of document.getAnimations()) if (change instanceof CSSTransition) change.finish();
  const { violations } = await axe.run({ resultTypes: ["violations"], ...rules });
  const said = (rule, node) => `${rule.id} ${node.target} ${node.failureSummary}`.replace(/\\s+/g, " ");
  const wrong = violations.flatMap((rule) => rule.nodes.map((node) => said(rule, node)));
  return { wrong, needs: document.scrollingElement.scrollWidth };
}"""
LEAVE = """() => {
  for (const menu of document.querySelectorAll("details.menu")) menu.open = false;
  return document.querySelectorAll("h1").length;
}"""
EVERYTHING: dict[str, list[str]] = {}
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
CLOSED, OPEN = False, True
Steps = tuple[tuple[int, str, bool, dict[str, list[str]]], ...]
# What is dark instead of light, or of another brand, has other colours, and is the same otherwise. Each brand has its
# menus open at one of the steps at least: what they cover is seen at the others, or in the other brand.
STEPS: Steps = (
    (WIDE, "light", CLOSED, EVERYTHING),
    (NARROW, "light", OPEN, EVERYTHING),
    (NARROW, "dark", CLOSED, COLOURS),
)
STEPS_OF_ANOTHER_BRAND: Steps = ((WIDE, "light", CLOSED, COLOURS), (WIDE, "dark", OPEN, COLOURS))


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
            where = f"{self.brand} {name} {width} {scheme}{', menu' if menus_are_open else ''}"
            found = page.evaluate(RUN, {"open": menus_are_open, "rules": rules})
            self._note(where, found["wrong"])
            if width == NARROW and found["needs"] > NARROW:
                self._note(where, [f"scrolls sideways: {found['needs']} px"])
            self.album.take(page, where)
        headings = page.evaluate(LEAVE)
        page.set_viewport_size({"width": WIDE, "height": 800})
        page.emulate_media(color_scheme="light")
        self._note(f"{self.brand} {name}", [f"{headings} first headings"] if headings != 1 else [])

    def _note(self, where: str, faults: list[str]) -> None:
        self.faults += [f"{where}: {fault}" for fault in faults]

    def report(self) -> str:
        """Every fault on a line; empty if there is none."""
        return "\n".join(self.faults)
