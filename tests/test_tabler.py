"""Tabler's CSS: as it was published, and reduced to what the console uses."""

import hashlib
import re

import pytest

from scripts.reduce_tabler import (
    ROOT,
    SOURCE,
    TARGET,
    Used,
    blocks,
    reduced,
    split,
    used_by_the_console,
)
from tests.tabler import left_out

# dist/css/tabler.min.css of the package @tabler/core 1.6.1.
TABLER_SHA256 = "370a2d4e608ae518351d10528fc7dbe19b354ae5062c51b2a9cb294850d65403"


def test_tabler_is_the_one_that_was_published() -> None:
    assert hashlib.sha256(SOURCE.read_bytes()).hexdigest() == TABLER_SHA256
    version = re.search(r"Tabler v([0-9.]+)", SOURCE.read_text())
    assert version
    licence = (TARGET.parent / "LICENSE").read_text()
    assert f"@tabler/core {version[1]}," in licence


def test_what_pages_load_is_what_the_recipe_makes_of_it() -> None:
    made = reduced(SOURCE.read_text(), used_by_the_console())
    assert TARGET.read_text() == made, "Run python scripts/reduce_tabler.py"


def test_no_class_of_a_template_is_left_out() -> None:
    pages = [path.read_text() for path in (ROOT / "templates").rglob("*.html")]
    named = {
        name
        for page in pages
        for words in re.findall(r'class="([^"]*)"', page)
        for name in re.findall(r"[\w-]+", words)
    }
    assert {"btn-primary", "form-control", "card"} <= named
    assert named & left_out() == set()
    assert len(left_out()) > 3_000


def test_no_variable_of_a_theme_is_left_out_that_something_reads() -> None:
    whole, part = SOURCE.read_text(), TARGET.read_text()
    ours = (ROOT / "static" / "console.css").read_text()
    read = set(re.findall(r"var\((--[\w-]+)", part + ours)) & set_by_themes(whole)
    assert len(read) > 100
    assert read <= set_by_themes(part)


def set_by_themes(css: str) -> set[str]:
    """Return the variables that hold for all elements of a page."""
    return {
        name
        for head, body in blocks(without_comments(css))
        if ":root" in head
        for name in re.findall(r"(--[\w-]+):", body or "")
    }


def without_comments(css: str) -> str:
    return re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)


def test_nothing_is_lost_between_two_blocks() -> None:
    css = without_comments(SOURCE.read_text())
    whole = "".join(h if b is None else f"{h}{{{b}}}" for h, b in blocks(css))
    assert re.sub(r"\s", "", whole) == re.sub(r"\s", "", css)


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".a{x:1}", True),
        (".a,.b{x:1}", True),
        (".b .a{x:1}", False),
        (".b-one{x:1}", False),
        (".pre-one{x:1}", True),
        ("a:not(.b,.c:is(.d)){x:1}", True),
        ("[data-b=a]{x:1}", False),
        ("[data-a=b]{x:1}", True),
        ("@media (x){.b{x:1}}", False),
        ("@media (x){.a{x:1}}", True),
        ('.a{x:url("data:;}.b{")}', True),
        (".a{--read:1;x:var(--read)}", True),
        (".a{--unread:1}", False),
        (".a{--circle:var(--circle)}", False),
        ("@keyframes k{to{x:1}}", False),
    ],
)
def test_what_is_kept(css: str, kept: bool) -> None:
    used = Used(frozenset({"a", "data-a"}), ("pre-",), frozenset())
    assert ("x:1" in reduced(css, used) or "{" in reduced(css, used)) is kept


def test_what_is_read_of_what_is_read_stays() -> None:
    used = Used(frozenset({"a"}), (), frozenset({"--ours"}))
    css = ".a{--ours:var(--two);--two:2;--none:var(--two);animation:k}@keyframes k{}"
    text = reduced(css + "@keyframes l{to{x:1}}", used)
    assert ".a{--ours:var(--two);--two:2;animation:k}" in text
    assert "--none" not in text
    assert "@keyframes l" not in text


def test_a_mark_in_brackets_splits_nothing() -> None:
    assert list(split('a:is(.b,.c),[d=","],e', ",")) == ["a:is(.b,.c)", '[d=","]', "e"]
