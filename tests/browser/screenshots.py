"""Pictures of the pages that tests visit, for people to look at. SCREENSHOTS_DIR says where; unset: none."""

import re
from pathlib import Path

from playwright.sync_api import Page


class Album:
    """Takes pictures if it has a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder) if folder else None
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)

    def take(self, page: Page, name: str) -> None:
        """The whole page as it stands, under a name made of its letters and digits."""
        if self.folder:
            stem = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
            page.screenshot(path=self.folder / f"{stem}.png", full_page=True)
