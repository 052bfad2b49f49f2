"""What stands in several places is the same: variables, exceptions, vendored files.

Variables are told in the code, .env.example and README.
"""

import hashlib
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

CODE = ("console/settings.py", "console/management/commands/run.py")
READ = r'env(?:\.\w+)?\(\s*"([A-Z0-9_]+)"'


def read_in_code() -> set[str]:
    """Return every variable that the code reads."""
    names: set[str] = set()
    for path in CODE:
        text = (ROOT / path).read_text()
        names |= set(re.findall(READ, text))
    return names


def test_env_example_lists_every_variable() -> None:
    text = (ROOT / ".env.example").read_text()
    listed = set(re.findall(r"^([A-Z0-9_]+)=", text, re.MULTILINE))
    assert listed == read_in_code()


def test_readme_explains_every_variable() -> None:
    text = (ROOT / "README.md").read_text()
    explained = set(re.findall(r"^\| `([A-Z0-9_]+)` \|", text, re.MULTILINE))
    assert explained == read_in_code()


def test_the_defaults_are_the_same_in_both() -> None:
    example = (ROOT / ".env.example").read_text()
    values = dict(re.findall(r"^([A-Z0-9_]+)=(.+)$", example, re.MULTILINE))
    readme = (ROOT / "README.md").read_text()
    told = dict(re.findall(r"^\| `([A-Z0-9_]+)` \| `([^`]+)` \|", readme, re.MULTILINE))
    assert {name: told.get(name) for name in values} == values


def test_the_document_has_the_bounds_of_every_number() -> None:
    number = (
        r'env\.number\(\s*"(\w+)",\s*default=[\d_]+,\s*least=([\d_]+),\s*most=([\d_]+)'
    )
    text = "".join((ROOT / path).read_text() for path in CODE)
    bounds = {
        name: (int(least), int(most)) for name, least, most in re.findall(number, text)
    }
    document = (ROOT / "docs" / "operating.md").read_text()
    row = r"^\| ((?:`[A-Z0-9_]+`(?:, )?)+) \| ([\d,]+) \| ([\d,]+) \|$"
    told = {
        name: (int(least.replace(",", "")), int(most.replace(",", "")))
        for names, least, most in re.findall(row, document, re.MULTILINE)
        for name in re.findall(r"[A-Z0-9_]+", names)
    }
    assert told == bounds


# dist/htmx.min.js of the package htmx.org 2.0.11.
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"


def test_htmx_is_the_one_that_was_published() -> None:
    folder = ROOT / "static" / "vendor" / "htmx"
    content = (folder / "htmx.min.js").read_bytes()
    assert hashlib.sha256(content).hexdigest() == HTMX_SHA256
    version = re.search(rb'version:"([0-9.]+)"', content)
    assert version
    assert f"htmx.org {version[1].decode()}," in (folder / "LICENSE").read_text()


def test_every_exception_of_bandit_has_its_rule_and_its_reason() -> None:
    folders = ("ampersand", "files", "console", "operations", "writes", "sandbox")
    found = [
        (path.name, line)
        for folder in (*folders, "scripts")
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"#\s*nosec", line)
    ]
    assert found
    without = [at for at in found if not re.search(r"# nosec B\d{3} #.* - \w", at[1])]
    assert without == []
