"""The fast path: block by block, as far as blocks are proved to be regular.

What is irregular is looked for in smaller blocks, and the smallest goes through the
exact path, which then tells where the next record begins. Two blocks are looked at at
the same time; what they hold is told in order.
"""

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import BinaryIO, Literal

from files.checking.blocks import Block, blocks
from files.checking.cell_keys import CellKeys
from files.checking.exact import check_records
from files.checking.ledger import Ledger, Mark
from files.checking.looking import Looking, Seen, Suspects
from files.findings import PREVIEW_ROWS

BLOCK = 2**21
# Irregular blocks are cut into so many, down to about so many bytes.
PIECES, SMALLEST = 8, 2**15
THREADS = 2

Found = Seen | Literal["irregular", "suspect"]


def check_blocks(ledger: Ledger, keys: CellKeys, file: BinaryIO, size: int) -> None:
    """Check the records from `ledger.offset` to the end, in blocks of `size` bytes."""
    end = os.fstat(file.fileno()).st_size
    with ThreadPoolExecutor(THREADS) as pool:
        _Walk(ledger, keys, file, pool).to(end, size)


class _Walk:
    """The way through a file: each step tells one block, in order."""

    def __init__(
        self, ledger: Ledger, keys: CellKeys, file: BinaryIO, pool: ThreadPoolExecutor
    ) -> None:
        self._ledger, self._keys = ledger, keys
        self._file, self._pool = file, pool
        self._look = Looking(ledger.columns, keys).look

    def to(self, end: int, size: int) -> None:
        """Check the records up to `end`, or the first border after it."""
        while self._ledger.is_readable and self._ledger.offset < end:
            self._run(end, size)

    def _run(self, end: int, size: int) -> None:
        """Check blocks while each begins where the one before was found to end."""
        ledger = self._ledger
        for block, found in self._found(end, size):
            self._step(block, found, size)
            if not ledger.is_readable or ledger.offset != block.end:
                return
            ledger.at(ledger.offset)

    def _found(self, end: int, size: int) -> Iterator[tuple[Block, Found]]:
        """Yield the blocks from here on in order, with what was found in each."""
        waiting: deque[tuple[Block, Future[Found]]] = deque()
        for block in blocks(self._file, self._ledger.offset, end, size):
            shows = self._ledger.row < 2 + PREVIEW_ROWS
            waiting.append((block, self._pool.submit(self._look, block, shows=shows)))
            if len(waiting) > THREADS:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()

    def _step(self, block: Block, found: Found, size: int) -> None:
        if isinstance(found, Seen):
            _tell(self._ledger, self._keys, block, found)
        elif self._may_be_cut(block, found, size):
            self.to(block.end, size // PIECES)
        else:
            check_records(self._ledger, self._file, until=block.end)

    def _may_be_cut(self, block: Block, found: Found, size: int) -> bool:
        """Whether smaller blocks may be regular; without any border none are."""
        is_large = size // PIECES >= SMALLEST
        return found == "irregular" and is_large and block.ends_a_line


def _tell(ledger: Ledger, keys: CellKeys, block: Block, seen: Seen) -> None:
    """Tell what a block holds, and move the ledger to its end."""
    row = ledger.row
    breaking, breaks = seen.breaks
    ledger.lines.add((breaking + row).tolist(), breaks.tolist())
    ledger.show(seen.first_rows[: max(2 + PREVIEW_ROWS - row, 0)])
    ledger.passed(seen.rows)
    for count in seen.counts:
        first = row + count.first
        tally = count.column.tallies[count.kind]
        tally.add(count.total, first, ledger.lines.of(first))
    for column in seen.exact:
        column.has_exact = True
    marks: list[Mark] = []
    keyless: set[int] = set()
    for suspects in seen.suspects:
        _judge(suspects, ledger, marks, keyless)
    ledger.tell(marks)
    if seen.keys is not None:
        keys.add_cells(seen.keys.below(row, keyless))
    ledger.offset = block.end
    ledger.row += seen.rows
    ledger.line += seen.rows + int(breaks.sum())


def _judge(
    suspects: Suspects, ledger: Ledger, marks: list[Mark], keyless: set[int]
) -> None:
    """Mark what is wrong with suspects, by the rules of the exact path."""
    column = suspects.column
    verdicts = column.odd(suspects.texts)
    if not verdicts:
        return
    for index, text in zip(suspects.rows, suspects.texts, strict=True):
        verdict = verdicts.get(text)
        if verdict is None:
            continue
        row = ledger.row + index
        line = ledger.lines.of(row)
        if verdict.kind:
            column.tallies[verdict.kind].add(1, row, line)
        if verdict.is_keyless:
            keyless.add(index)
        for problem in verdict.problems:
            marks.append(Mark(row, column.place, line, problem, text))
