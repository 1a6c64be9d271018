"""Opens a CSV file in LibreOffice, as staff would, and says what became of it."""

import subprocess
import tempfile
import xml.etree.ElementTree as ET
from pathlib import Path

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
COMMA, ANY = "44", "44/59/9"  # separators, as the number of the character


def opened(
    content: bytes, *, separators: str = COMMA, quoted_is_text: bool = False
) -> tuple[list[list[str]], list[str]]:
    """The cells as texts, by row, and the formulas that were found.

    With `quoted_is_text` LibreOffice takes what stands in quotes as it is: no number, no date, no formula.
    """
    with tempfile.TemporaryDirectory(prefix="portal-office-") as name:
        folder = Path(name)
        (folder / "list.csv").write_bytes(content)
        # Separator, quote, UTF-8, first line; then as a person opens it: numbers and formulas are recognised.
        reading = f"CSV:{separators},34,76,1,,0,{str(quoted_is_text).lower()},true,false,false,false,-1,true"
        subprocess.run(
            [
                *("soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--norestore"),
                *(f"--infilter={reading}", "--convert-to", "fods", "--outdir", name, f"{folder}/list.csv"),
            ],
            check=True,
            timeout=120,
            capture_output=True,
        )
        [sheet] = folder.glob("*.fods")
        return _read(ET.parse(sheet).getroot())


def _read(document: ET.Element) -> tuple[list[list[str]], list[str]]:
    rows: list[list[str]] = []
    formulas: list[str] = []
    for line in document.iter(f"{TABLE}table-row"):
        cells: list[str] = []
        for cell in line.iter(f"{TABLE}table-cell"):
            if formula := cell.get(f"{TABLE}formula"):
                formulas.append(formula)
            text = "\n".join("".join(part.itertext()) for part in cell.iter(f"{TEXT}p"))
            times = int(cell.get(f"{TABLE}number-columns-repeated", "1"))
            cells += [text] * (times if times < 50 else 0)
        if any(cells):
            rows.append(cells)
    return rows, formulas
