"""What stands at and around the border of a block makes no difference."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from files.checking import fast
from files.mending.mend import mend
from files.mending.recipes import Recipe
from files.reading.inspection import Reading, inspect
from files.reading.read import read
from tests.files.corpus import Odd
from tests.files.test_paths_agree import found

AT_BORDER = [b'"', b'""', b'"""', b"\r", b"\n", b"\r\n", b",", b"\\", b'","', b'"\n"']
FILL = [b"x", b"xy,z\n", b'"a","b"\n', b'"a\nb",c\n', "é".encode()]


def _bordered(block: int, scraps: list[tuple[int, int, bytes]], fill: bytes) -> bytes:
    """Return a table of some blocks, with scraps near the borders told by number."""
    data = bytearray(b"id,a\n" + fill * (6 * block // len(fill) + 1))
    for border, beside, scrap in scraps:
        place = max(5 + border * block + beside, 5)
        data[place : place + len(scrap)] = scrap
    return bytes(data)


BLOCKS = st.integers(1, 40)
SCRAPS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(-3, 3), st.sampled_from(AT_BORDER)),
    max_size=5,
)


@settings(max_examples=400, deadline=None)
@given(BLOCKS, SCRAPS, st.sampled_from(FILL), st.sampled_from([2**15, 2]))
def test_both_paths_tell_the_same_of_whatever_is_at_a_border(
    block: int, scraps: list[tuple[int, int, bytes]], fill: bytes, smallest: int
) -> None:
    odd = Odd(_bordered(block, scraps, fill))
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # So that irregular blocks are cut into smaller ones, too.
        patch.setattr(fast, "SMALLEST", smallest)
        path = Path(folder, "odd.csv")
        path.write_bytes(odd.data)
        assert found(path, odd, "fast", block) == found(path, odd, "exact")


@pytest.mark.parametrize("last", range(-3, 4))
@pytest.mark.parametrize("block", [16, 64])
def test_a_quote_as_last_byte_of_blocks_without_a_border_is_told(
    last: int, block: int, tmp_path: Path
) -> None:
    """Four blocks in which no record ends, as after a stray quote in a quoted cell."""
    start = b'id,a\n"A0","5" pipe'
    rows = b'"\n' + b'"A","n"\n' * block
    for pad in range(4 * block + last):
        odd = Odd(start + b"x" * pad + rows)
        path = tmp_path / "odd.csv"
        path.write_bytes(odd.data)
        told = found(path, odd, "fast", block)
        assert told == found(path, odd, "exact")
        assert {finding.rule for finding in told["findings"]} & {"quotes", "unreadable"}


@settings(max_examples=200, deadline=None)
@given(BLOCKS, SCRAPS, st.sampled_from(FILL))
def test_a_border_changes_nothing_that_is_read_or_mended(
    block: int, scraps: list[tuple[int, int, bytes]], fill: bytes
) -> None:
    data = _bordered(block, scraps, fill)
    recipe = Recipe(left_out=((3, 3),))
    results = set()
    for size in (block, 2**20):
        with TemporaryDirectory() as folder:
            original, as_read = Path(folder, "original"), Path(folder, "as-read")
            as_sent, held = Path(folder, "as-sent"), Path(folder, "held-back")
            original.write_bytes(data)
            seen = inspect(original, block=size)
            if read(original, as_read, seen, Reading(), block=size).is_same:
                as_read.write_bytes(data)
            is_same = mend(as_read, as_sent, recipe, held_back=held, block=size).is_same
            sent = as_read if is_same else as_sent
            results.add((as_read.read_bytes(), sent.read_bytes()))
    assert len(results) == 1
