"""One list of variables, told in three places: the code, .env.example and README."""

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
