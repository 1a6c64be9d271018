"""What no log line may carry: a token that stands in an address, whoever writes the address down."""

import re
from typing import Any

# Django names the path of a request that failed or was refused; some paths are keys, also where to go afterwards.
_TOKEN = re.compile(r"((?:/|%2[Ff])(?:invitation|view-as)(?:/|%2[Ff])|[?&]token=)[^/\s\"'&?%]+")


def without_tokens(logger: Any, name: str, line: str) -> str:
    """The finished line, the last step of the formatter: nothing is added to it afterwards."""
    return _TOKEN.sub(r"\1[token]", line)
