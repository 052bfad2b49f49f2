"""From the original to the file as read: UTF-8, LF, commas, the same rows and lines."""

import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Protocol

import numpy as np

from files.changes import Change, counted
from files.findings import Finding, IsThere, always
from files.mending.recipes import Recipe
from files.mending.still_there import still_there
from files.reading import apart
from files.reading.above import left_above, no_header
from files.reading.archives import Unreadable
from files.reading.beginning import beginning
from files.reading.delimiters import Commas, told_by_excel
from files.reading.encodings import Decoder, is_wide
from files.reading.inspection import BLOCK, Inspection, Progress, Reading
from files.reading.line_ends import LineEnds
from files.reading.quotes import LF

KEPT = 1_000
_MOST_LINE_ENDS = 2**20
_MARK = b"\xef\xbb\xbf"
_SEP_LINE = (
    "Row 1 is “sep=…”, a hint for Excel and not a header. Set the header row to 2 "
    "under Reading options."
)


@dataclass(kw_only=True)
class Read:
    """What reading did: the changes, and what is wrong with the original.

    `is_same` says that there was nothing to change: the original is the file as read,
    and no other was written; `is_refused` that none can be. The first 1,000 findings of
    each rule are kept, `totals` counts them all by rule. Those for which `is_there` is
    false were mended since, and are not told.
    """

    changes: list[Change] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    is_same: bool = False
    is_refused: bool = False
    totals: Counter[str] = field(default_factory=Counter)
    is_there: IsThere = field(default=always, repr=False, compare=False)

    def add(self, finding: Finding) -> None:
        """Count a finding, and keep it unless there are many of its rule."""
        if not self.is_there(finding):
            return
        self.totals[finding.rule] += 1
        if self.totals[finding.rule] <= KEPT:
            self.findings.append(finding)

    def room(self, rule: str) -> int:
        """Return how many more of a rule must be told one by one, to be kept or not."""
        if self.is_there is not always:
            return sys.maxsize
        return max(KEPT - self.totals[rule], 0)

    def count(self, rule: str, more: int) -> None:
        """Count findings for which there was no `room`."""
        if more:
            self.totals[rule] += more


class _Stage(Protocol):
    """One step of the way; it takes blocks and may hold the end of one back."""

    def feed(self, block: bytes) -> bytes: ...
    def end(self) -> bytes: ...
    def changes(self) -> list[Change]: ...


def read(
    original: Path,
    as_read: Path,
    inspection: Inspection,
    reading: Reading,
    *,
    progress: Progress | None = None,
    recipe: Recipe | None = None,
    block: int = BLOCK,
) -> Read:
    """Write `as_read` and tell what was changed on the way.

    Nothing is written where the original is already as it should be, or cannot be read
    at all: then a finding blocks. `progress` is told the bytes read and the lines
    written so far; of a workbook, the bytes unpacked or written, and the rows.
    `recipe` tells which faults were mended since.
    """
    if inspection.refusal:
        return _refused("not-csv", inspection.refusal)
    if inspection.kind == "xlsx":
        return _read_workbook(original, as_read, reading, progress, recipe or Recipe())
    is_there = still_there(recipe) if recipe and not recipe.is_empty else always
    result = Read(is_there=is_there)
    start = beginning(original, reading)
    if start is None:
        return _refused("no-header", no_header(reading.begin))
    _find_sep_line(original, reading, result)
    result.is_same = _is_plain(original, inspection, reading)
    if not result.is_same:
        if reading.begin > 1:
            result.changes.append(left_above(reading.begin))
        stages = _stages(inspection, reading, result)
        target = _convert(original, as_read, start, stages, progress, block)
        for stage in stages:
            result.changes.extend(stage.changes())
        result.changes.extend(target.changes())
    return result


def _convert(
    original: Path,
    as_read: Path,
    start: int,
    stages: list[_Stage],
    progress: Progress | None,
    block: int,
) -> "_Target":
    with original.open("rb") as source, as_read.open("wb") as file:
        target = _Target(file)
        source.seek(start)
        while data := source.read(block):
            for stage in stages:
                data = stage.feed(data)
            target.write(data)
            if progress is not None:
                progress(source.tell(), target.lines)
        rest = b""
        for stage in stages:
            rest = stage.feed(rest) + stage.end()
        target.write(rest)
        target.end()
    return target


def _refused(rule: str, message: str) -> Read:
    finding = Finding(level="blocks", rule=rule, message=message)
    result = Read(is_refused=True)
    result.add(finding)
    return result


def _read_workbook(
    original: Path,
    as_read: Path,
    reading: Reading,
    progress: Progress | None,
    recipe: Recipe,
) -> Read:
    try:
        written = apart.write_csv(
            original,
            reading.sheet,
            as_read,
            begin=reading.begin,
            recipe=recipe,
            progress=progress,
        )
    except Unreadable as error:
        return _refused("not-readable", str(error))
    return Read(
        changes=written.changes, findings=written.findings, totals=written.totals
    )


def _find_sep_line(original: Path, reading: Reading, result: Read) -> None:
    """Find Excel's note "sep=;": without its line, rows would have other numbers."""
    with original.open("rb") as file:
        head = file.read(100).decode(reading.encoding, "replace")
    if reading.begin == 1 and told_by_excel(head):
        result.add(
            Finding(level="blocks", rule="sep-line", message=_SEP_LINE, row=1, line=1)
        )


def _is_plain(original: Path, inspection: Inspection, reading: Reading) -> bool:
    """Whether there is nothing to change."""
    ends = inspection.line_ends
    if reading != Reading() or inspection.bom or ends["CRLF"] or ends["CR"]:
        return False
    with original.open("rb") as file:
        file.seek(max(0, inspection.size - 2))
        tail = file.read()
    # Of one byte: an empty line is all there is.
    return not tail or (tail.endswith(b"\n") and len(tail.strip(b"\n")) == 1)


def _stages(inspection: Inspection, reading: Reading, result: Read) -> list[_Stage]:
    ends = inspection.line_ends
    # Counted under another encoding of two bytes each, line ends tell nothing.
    is_counted = is_wide(reading.encoding) == is_wide(inspection.encoding)
    only_cr = bool(is_counted and ends["CR"] and not ends["LF"] and not ends["CRLF"])
    stages: list[_Stage] = []
    if reading.encoding != "utf-8":
        line_end = "\r" if only_cr else "\n"
        stages.append(Decoder(reading.encoding, result.add, line_end=line_end))
    stages.append(_Marks())
    if ends["CR"] or ends["CRLF"] or not is_counted:
        stages.append(LineEnds(ord(reading.delimiter), cr_ends_lines=only_cr))
    if reading.delimiter != ",":
        stages.append(Commas(reading.delimiter, result))
    return stages


class _Marks:
    """Leaves out byte order marks at the start; programs that join files leave more."""

    def __init__(self) -> None:
        self._start = b""
        self._is_past = False
        self._count = 0

    def feed(self, block: bytes) -> bytes:
        if self._is_past:
            return block
        block, self._start = self._start + block, b""
        while block.startswith(_MARK):
            block = block[len(_MARK) :]
            self._count += 1
        if _MARK.startswith(block):
            self._start = block
            return b""
        self._is_past = True
        return block

    def end(self) -> bytes:
        return self._start

    def changes(self) -> list[Change]:
        if not self._count:
            return []
        many = "A byte order mark" if self._count == 1 else "Several byte order marks"
        verb = "is" if self._count == 1 else "are"
        what = (
            f"{many} at the start {verb} removed: Salesforce would read it as part of "
            "the first column's name."
        )
        return [Change(what, self._count)]


class _Target:
    """The file as read: it ends with one line end, without empty lines after it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._line_ends_held = 0
        self.size = self.lines = 0

    def write(self, data: bytes) -> None:
        body = data.rstrip(b"\n")
        if body:
            self._release(self._line_ends_held)
            self._line_ends_held = 0
            self._write(body)
        self._line_ends_held += len(data) - len(body)

    def end(self) -> None:
        if self.size:
            self._release(1)

    def changes(self) -> list[Change]:
        if self.size and not self._line_ends_held:
            return [Change("A line ending is added after the last line.", 1)]
        empty = self._line_ends_held - (1 if self.size else 0)
        if not empty:
            return []
        lines = counted(empty, "blank line")
        return [Change(f"{lines} at the end removed.", empty)]

    def _release(self, count: int) -> None:
        while count > 0:
            some = min(count, _MOST_LINE_ENDS)
            self._write(b"\n" * some)
            count -= some

    def _write(self, data: bytes) -> None:
        self._file.write(data)
        self.size += len(data)
        ends = np.frombuffer(data, np.uint8) == LF
        self.lines += int(np.count_nonzero(ends))
