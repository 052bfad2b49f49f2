"""A first look at an upload: what it is, and how it is best read."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from files.lines import text_lines
from files.reading import apart, delimiters, encodings, kinds
from files.reading.scanning import Scan

Progress = Callable[[int, int], None]

BLOCK = 2 * 2**20
HEAD = 256 * 2**10
# Below so many rows nobody puts a header.
LAST_BEGIN = 1_000
_COLUMNS_SHOWN = 200
_LONGEST_NAME = 200
_LINES_SHOWN = 3
_HEAD_SHOWN = 16 * 2**10
_BEFORE, _AFTER = 60, 140


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How an operator agreed to read a file.

    `encoding` is one of `encodings.NAMES`, `delimiter` of `delimiters.NAMES`; `sheet`
    is the name of a sheet of a workbook. The header is in row `begin`, as a spreadsheet
    counts: what stands above it is left out. Raises ValueError for any other.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    sheet: str = ""
    begin: int = 1

    def __post_init__(self) -> None:
        if type(self.begin) is not int or not 1 <= self.begin <= LAST_BEGIN:
            raise ValueError(f"The header can be in rows 1 to {LAST_BEGIN:,}.")
        if self.encoding not in encodings.NAMES:
            raise ValueError(f"The encoding “{self.encoding}” is not supported.")
        if self.delimiter not in delimiters.NAMES:
            raise ValueError(f"“{self.delimiter}” cannot separate columns.")

    def as_json(self) -> dict[str, Any]:
        """Return what is stored with the write."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Reading":
        """Return what `as_json` told. Raises ValueError for anything else."""
        try:
            return cls(**data)
        except TypeError as error:
            raise ValueError(f"These are no reading options: {data!r}") from error


class Offer(NamedTuple):
    """An encoding that an operator may choose, with some lines as it reads them."""

    codec: str
    label: str
    sample: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Inspection:
    """What a first look told.

    `kind` is "csv", "xlsx", or a key of `kinds.REFUSALS`; only the first two can be
    read, and only where `refusal`, a sentence for the operator, is empty. `sha256` is
    in hex. `line_ends` counts "LF", "CRLF" and "CR", inside cells too. `doubts` are
    sentences that the operator must agree to before the file is read as `suggested`;
    without any it is read so at once. `hidden` are those of the `sheets` that Excel
    does not show.
    """

    size: int
    sha256: str
    kind: str = "csv"
    encoding: str = "utf-8"
    is_utf8: bool = True
    bom: str = ""
    line_ends: dict[str, int] = field(default_factory=dict)
    delimiter: str = ","
    header: list[str] = field(default_factory=list)
    sheets: tuple[str, ...] = ()
    hidden: tuple[str, ...] = ()
    suggested: Reading = Reading()
    doubts: tuple[str, ...] = ()
    encodings: tuple[Offer, ...] = ()
    refusal: str = ""

    def as_json(self) -> dict[str, Any]:
        """Return what is stored with the write."""
        return asdict(self) | {"encodings": [list(offer) for offer in self.encodings]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Inspection":
        """Return what `as_json` told."""
        offers = (Offer(codec, name, tuple(s)) for codec, name, s in data["encodings"])
        return cls(
            **data
            | {
                "sheets": tuple(data["sheets"]),
                "hidden": tuple(data["hidden"]),
                "doubts": tuple(data["doubts"]),
                "suggested": Reading.from_json(data["suggested"]),
                "encodings": tuple(offers),
            }
        )


def inspect(
    path: Path, *, progress: Progress | None = None, block: int = BLOCK
) -> Inspection:
    """Look at a file of up to 1 GiB, once from its beginning to its end.

    `progress` is told the bytes and the line ends so far, after each `block` of bytes.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    kind = kinds.recognise(path, head)
    codec = (encodings.marked(head) or encodings.wide(head)) if kind == "csv" else ""
    scan = Scan(codec, is_text=kind == "csv")
    with path.open("rb") as file:
        while data := file.read(block):
            scan.feed(data)
            if progress is not None:
                progress(scan.size, sum(scan.line_ends.values()))
    scan.end()
    if kind == "csv":
        return _of_text(scan, head)
    return _of_other(scan, path, kind, progress)


def header_of_beginning(path: Path) -> list[str]:
    """Return the header of a file as its first 256 KiB tell it, [] where it is no text.

    That is quick whatever the size; a workbook takes a process of its own to be read.
    """
    with path.open("rb") as file:
        head = file.read(HEAD)
    if kinds.recognise(path, head) != "csv":
        return []
    scan = Scan(encodings.marked(head) or encodings.wide(head), is_text=True)
    scan.feed(head)
    scan.end()
    return _of_text(scan, head).header


def _of_text(scan: Scan, head: bytes) -> Inspection:
    is_wide = encodings.is_wide(scan.codec)
    is_utf8 = not is_wide and scan.evidence.is_utf8
    codecs = _codecs(scan)
    text = _text(head, codecs[0], is_whole=len(head) == scan.size)
    delimiter = delimiters.guess(text)
    told = delimiters.told_by_excel(text)
    records = delimiters.records(delimiters.below_note(text), delimiter)
    header = next(iter(records), [])
    first = text_lines(text[:_HEAD_SHOWN])
    return Inspection(
        size=scan.size,
        sha256=scan.sha256,
        encoding=codecs[0],
        is_utf8=is_utf8,
        bom=encodings.name(scan.codec) if encodings.marked(head) else "",
        line_ends=scan.line_ends,
        delimiter=delimiter,
        header=[name[:_LONGEST_NAME] for name in header[:_COLUMNS_SHOWN]],
        suggested=Reading(
            encoding=codecs[0], delimiter=delimiter, begin=2 if told else 1
        ),
        doubts=tuple(_doubts(codecs[0], delimiter, told)),
        encodings=tuple(
            _offer(codec, scan.evidence.sample or first) for codec in codecs
        ),
    )


def _codecs(scan: Scan) -> list[str]:
    """Return the codecs to offer, the best one first."""
    if encodings.is_wide(scan.codec):
        return [scan.codec]
    if scan.evidence.is_utf8 or scan.evidence.is_damaged_utf8:
        return ["utf-8"]
    return encodings.guess(b"\n".join(scan.evidence.sample))


def _text(head: bytes, codec: str, *, is_whole: bool) -> str:
    """Return the first records; one that may be cut off is left out."""
    text = head.decode(codec, "replace").lstrip("\ufeff")
    if is_whole:
        return text
    end = max(text.rfind("\n"), text.rfind("\r"))
    return text[: end + 1] or text


def _offer(codec: str, lines: list[bytes] | list[str]) -> Offer:
    texts = [
        line if isinstance(line, str) else line.decode(codec, "replace")
        for line in lines[:_LINES_SHOWN]
    ]
    return Offer(codec, encodings.label(codec), tuple(_cut(text) for text in texts))


def _cut(text: str) -> str:
    """Return a part of a line, with its first character beyond ASCII in sight."""
    text = text.lstrip("\ufeff").rstrip("\r\n")
    beyond = (place for place, char in enumerate(text) if not char.isascii())
    place = next(beyond, 0)
    start = place - _BEFORE if place > _BEFORE + _AFTER else 0
    end = start + _BEFORE + _AFTER
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}"


def _doubts(codec: str, delimiter: str, told: str) -> list[str]:
    doubts = []
    if encodings.is_wide(codec):
        doubts.append(f"This file is in {encodings.name(codec)}, not UTF-8.")
    elif codec != "utf-8":
        name = encodings.name(codec)
        doubts.append(
            f"This file is not UTF-8. It may be {name}: check that the characters look "
            "right."
        )
    if delimiter != ",":
        signs = delimiters.NAMES[delimiter]
        doubts.append(f"The columns are separated by {signs}s.")
    if told:
        doubts.append(
            f"The first line, “sep={told}”, is a hint for Excel and not a header: it "
            "is not sent."
        )
    return doubts


def _of_other(
    scan: Scan, path: Path, kind: str, progress: Progress | None
) -> Inspection:
    if kind == "zip":
        return _of_archive(scan, apart.look(path, progress=progress))
    return Inspection(
        size=scan.size,
        sha256=scan.sha256,
        kind=kind,
        is_utf8=False,
        refusal=kinds.REFUSALS[kind],
    )


def _of_archive(scan: Scan, looked: apart.Looked) -> Inspection:
    names = tuple(name for name, _ in looked.sheets)
    shown = [name for name, is_hidden in looked.sheets if not is_hidden]
    refusal = looked.refusal or kinds.REFUSALS.get(looked.kind, "")
    return Inspection(
        size=scan.size,
        sha256=scan.sha256,
        kind=looked.kind,
        is_utf8=False,
        sheets=names,
        hidden=tuple(name for name, is_hidden in looked.sheets if is_hidden),
        suggested=Reading(sheet=[*shown, *names, ""][0]),
        doubts=() if refusal else (_doubt_of_workbook(names, len(shown)),),
        refusal=refusal,
    )


def _doubt_of_workbook(names: tuple[str, ...], shown: int) -> str:
    if len(names) == 1:
        return f"This is an Excel workbook with one sheet, “{names[0]}”."
    hidden = len(names) - shown
    said = f" ({hidden} hidden)" if hidden else ""
    return f"This is an Excel workbook with {len(names)} sheets{said}."
