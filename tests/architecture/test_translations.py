"""Dutch, French and Spanish are complete: a sentence without its translation fails here."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polib
import pytest

ROOT = Path(__file__).resolve().parents[2]
LANGUAGES = ("nl", "fr", "es")
SOURCES = ("portal", "accounts", "coupontools_api", "templates", "static")
PLACEHOLDER = re.compile(r"%\(\w+\)(?:\.\d)?[sdgf]|%(?:\.\d)?[sdf]|\{\w*\}|</?\w+[^>]*>")


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> polib.POFile:
    """Every sentence that code and templates mark today, by the command that CONTRIBUTING names."""
    if not shutil.which("xgettext"):
        pytest.fail("gettext is missing: apt-get install gettext (./run test installs it as root).")
    copy = tmp_path_factory.mktemp("sources")
    for folder in SOURCES:
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "manage.py", copy)
    (copy / "locale").mkdir()
    command = ["manage.py", "makemessages", "-l", "nl", "--no-location", "-v", "0"]
    subprocess.run([sys.executable, *command], cwd=copy, check=True, capture_output=True)
    return polib.pofile(str(copy / "locale/nl/LC_MESSAGES/django.po"))


def catalogue(language: str) -> polib.POFile:
    return polib.pofile(str(ROOT / f"locale/{language}/LC_MESSAGES/django.po"))


def key(entry: polib.POEntry) -> tuple[str, str, str]:
    return entry.msgctxt or "", entry.msgid, entry.msgid_plural or ""


def texts(entry: polib.POEntry) -> Iterator[str]:
    yield from entry.msgstr_plural.values() if entry.msgid_plural else (entry.msgstr,)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated(language: str, extracted: polib.POFile):
    known = {key(entry): entry for entry in catalogue(language) if not entry.obsolete}
    missing = [
        entry.msgid
        for entry in extracted
        if key(entry) not in known or known[key(entry)].fuzzy or not all(texts(known[key(entry)]))
    ]

    assert missing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_translation_is_left_over(language: str, extracted: polib.POFile):
    wanted = {key(entry) for entry in extracted}

    assert [entry.msgid for entry in catalogue(language) if key(entry) not in wanted] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_and_markup_survive(language: str):
    for entry in catalogue(language):
        wanted = set(PLACEHOLDER.findall(entry.msgid)) | set(PLACEHOLDER.findall(entry.msgid_plural or ""))
        for text in texts(entry):
            found = set(PLACEHOLDER.findall(text))
            assert found <= wanted, (entry.msgid, text)
            if not entry.msgid_plural:  # "one day" may leave its number out
                assert found == wanted, (entry.msgid, text)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_compiled_catalogue_is_the_written_one(language: str):
    compiled = polib.mofile(str(ROOT / f"locale/{language}/LC_MESSAGES/django.mo"))
    written = {key(entry): list(texts(entry)) for entry in catalogue(language) if not entry.obsolete}

    assert {key(entry): list(texts(entry)) for entry in compiled} == written


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_vendor_word_comes_in_by_a_translation(language: str):
    shown = " ".join(text for entry in catalogue(language) for text in texts(entry)).lower()

    assert "coupontools" not in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_english_word_of_ours_stays_in_a_translation(language: str):
    left = [text for entry in catalogue(language) for text in texts(entry) if "teammate" in text.lower()]

    assert left == []
