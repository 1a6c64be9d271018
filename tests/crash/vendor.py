"""The sandbox in a process of its own, held by its levers: who forks workers must have no threads."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.run import ROOT


@dataclass(frozen=True)
class SandboxProcess:
    url: str

    def _ask(self, method: str, path: str, document: Any = None) -> Any:
        body = None if document is None else json.dumps(document).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=body, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def settings(self, **switches: Any) -> None:
        self._ask("POST", "/_settings", switches)

    def add_accounts(self, keys: list[tuple[str, str]]) -> None:
        accounts = [{"client_id": one, "client_secret": other, "packages": ["pac_1", "pac_2"]} for one, other in keys]
        self._ask("POST", "/_state", {"accounts": accounts})

    def faults(self, script: list[dict[str, Any]]) -> None:
        self._ask("POST", "/_faults", script)

    def clear_faults(self) -> None:
        self._ask("DELETE", "/_faults")

    def created(self) -> list[dict[str, Any]]:
        """Every subaccount that was really made, in order."""
        effects = self._ask("GET", "/_ledger?path=/none")["effects"]
        return [effect for effect in effects if effect["kind"] == "subaccount_created"]

    def creates_asked(self) -> int:
        return len(self._ask("GET", "/_ledger?path=/v4/subaccount/create")["requests"])


@contextmanager
def sandbox_process(port: int) -> Iterator[SandboxProcess]:
    command = [sys.executable, "-m", "coupontools_api.sandbox", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert "listening" in line, line
        yield SandboxProcess(f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()
