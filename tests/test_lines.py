"""Texts are cut into lines where an editor and a CSV cut them, nowhere else."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.connections.forms import NamesField
from files.lines import text_lines

PACKAGES = ("ampersand", "console", "files", "operations", "sandbox", "writes")
ROOT = Path(__file__).parent.parent
NO_LINE_ENDS = "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029"


@pytest.mark.parametrize("package", PACKAGES)
def test_no_data_is_cut_into_lines_by_splitlines(package: str) -> None:
    """It cuts at characters that stand within names and cells."""
    using = [
        str(path.relative_to(ROOT))
        for path in (ROOT / package).rglob("*.py")
        if ".splitlines(" in path.read_text(encoding="utf-8")
    ]
    assert using == []


@given(st.lists(st.text(st.sampled_from("a " + NO_LINE_ENDS), min_size=1), min_size=1))
def test_only_line_ends_cut(lines: list[str]) -> None:
    for end in ("\n", "\r\n", "\r"):
        assert text_lines(end.join(lines)) == lines
        assert text_lines(end.join(lines) + end) == lines


def test_names_typed_one_a_line_hold_whatever_is_no_line_end() -> None:
    typed = "\r\n".join(["one", *(f"a{char}b" for char in NO_LINE_ENDS)])
    assert len(NamesField().to_python(typed)) == 1 + len(NO_LINE_ENDS)
