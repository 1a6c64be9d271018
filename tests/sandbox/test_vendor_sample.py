"""The vendor's own PHP sample runs against the sandbox: only address and credentials differ."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

STRING = r'"(?:\\.|[^"\\])*"' + r"|'(?:\\.|[^'\\])*'"
STATEMENT = r"\$\w+\s*=|\w+\(|\?>"


def php() -> str:
    """The interpreter, if it is here and has cURL; else the test is skipped."""
    program = shutil.which("php")
    if program is None:
        pytest.skip("php is not installed (php-cli, php-curl)")
    modules = subprocess.run([program, "-m"], capture_output=True, text=True, timeout=10, check=True)
    if "curl" not in modules.stdout.split():
        pytest.skip("php has no cURL (php-curl)")
    return program


def sample() -> str:
    """The PHP code in the one document that has any."""
    folder = os.environ.get("VENDOR_DOCS_DIR")
    if not folder:
        pytest.skip("VENDOR_DOCS_DIR does not name the folder with the vendor's documents")
    texts = [file.read_text() for file in sorted(Path(folder).iterdir()) if file.is_file()]
    (text,) = [text for text in texts if "<?php" in text]
    return re.search(r"<\?php.*?\?>", text, re.DOTALL)[0]


def with_line_breaks(code: str) -> str:
    """End each `//` comment where the next statement begins: the copy has lost its line breaks.

    A `//` in a string, as in an address, is no comment.
    """
    comment = rf"//(?:(?!{STATEMENT}).)*"
    return re.sub(rf"{STRING}|({comment})", lambda found: found[0] + ("\n" if found[1] else ""), code)


def assigned(code: str, name: str, value: str) -> str:
    """The code with another text assigned to one variable."""
    changed, count = re.subn(rf"(\${name}\s*=\s*)(?:{STRING})", rf'\g<1>"{value}"', code)
    assert count == 1, f"${name} is not assigned once"
    return changed


def test_line_breaks_come_back_after_comments_only():
    code = '<?php $a = "http://x.test//y"; // one (really) $b = f("//"); // two three(); ?>'

    assert with_line_breaks(code) == (
        '<?php $a = "http://x.test//y"; // one (really) \n$b = f("//"); // two \nthree(); ?>'
    )


@pytest.mark.parametrize("known", [True, False])
def test_the_sample_is_answered_as_documented(sandbox, bo, tmp_path, known):
    program, code = php(), with_line_breaks(sample())
    path = re.search(r"https?://[^/\"']+(/[^\"']+)", code)[1]
    code = assigned(code, "url", sandbox.url + path)
    code = assigned(code, "client_id", "north")
    code = assigned(code, "client_secret", "north-secret")
    code = re.sub(r"sub_[0-9]+", bo if known else "sub_999999", code)
    script = tmp_path / "sample.php"
    script.write_text(code.replace("?>", "echo $response; ?>"))

    run = subprocess.run([program, str(script)], capture_output=True, text=True, timeout=10)

    answer = json.loads(run.stdout)
    (request,) = sandbox.requests()
    assert (request.credentials, request.client_id) == ("headers", "north")
    if known:
        assert answer["status"] == {"status": "OK"}
        assert answer["subaccount"]["ID"] == bo
        token = answer["subaccount"]["token"]
        assert answer["subaccount"]["url"].endswith(f"/index.php?action=login&logintype=sso&token={token}")
    else:
        assert answer["status"]["errors"]["error_code"] == [510]
