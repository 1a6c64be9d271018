"""What people who mean harm type, and where it can be typed."""

import json
from functools import cache
from pathlib import Path


@cache
def payloads() -> list[str]:
    """All payloads, in the order of the file."""
    kinds: dict[str, list[str]] = json.loads((Path(__file__).parent / "payloads.json").read_text())
    return [text for texts in kinds.values() for text in texts]


def payloads_of(kind: str) -> list[str]:
    texts: list[str] = json.loads((Path(__file__).parent / "payloads.json").read_text())[kind]
    return texts
