"""Writing Parquet: flat tables of numbers, texts and moments, for any reader of it.

The format is https://parquet.apache.org/docs/file-format/: groups of rows, in each of
them a page of plain values for each column, and at the end what Thrift's compact
protocol makes of where they are.
"""

import gzip
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO, Literal

import numpy as np

MAGIC = b"PAR1"
# A group ends with so many rows, or bytes of texts: memory holds one of them.
GROUP_ROWS = 50_000
GROUP_BYTES = 16 * 1024 * 1024

Kind = Literal["integer", "text", "timestamp"]

# Numbers of the format.
_INT64, _BYTE_ARRAY = 2, 6
_UTF8, _TIMESTAMP_MICROS = 0, 10
_REQUIRED, _OPTIONAL = 0, 1
_PLAIN, _RLE, _GZIP, _DATA_PAGE = 0, 3, 2, 0
# Of Thrift's compact protocol.
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class ParquetColumn:
    """A column: of moments are microseconds in UTC kept; null only where optional."""

    name: str
    kind: Kind
    optional: bool = False

    @property
    def type(self) -> int:
        """How the format keeps its values."""
        return _BYTE_ARRAY if self.kind == "text" else _INT64

    def described(self) -> bytes:
        """Return its SchemaElement."""
        meaning = {"text": _UTF8, "timestamp": _TIMESTAMP_MICROS}.get(self.kind)
        return _struct(
            (1, _I32, self.type),
            (3, _I32, _OPTIONAL if self.optional else _REQUIRED),
            (4, _BINARY, self.name.encode()),
            (6, _I32, meaning),
            (10, _STRUCT, _IN_UTC if self.kind == "timestamp" else None),
        )

    def page(self, values: Sequence[Any]) -> bytes:
        """Return the content of a page. Raises `ValueError` for null in vain."""
        there = [value for value in values if value is not None]
        if not self.optional:
            if len(there) != len(values):
                message = f"The column {self.name} holds null and is not optional."
                raise ValueError(message)
            return self._plain(there)
        levels = _levels(np.array([value is not None for value in values]))
        return len(levels).to_bytes(4, "little") + levels + self._plain(there)

    def _plain(self, values: list[Any]) -> bytes:
        if self.kind == "text":
            texts = [value.encode(errors="replace") for value in values]
            return b"".join(len(t).to_bytes(4, "little") + t for t in texts)
        if self.kind == "timestamp":
            values = [(value - _EPOCH) // _MICROSECOND for value in values]
        return np.array(values, dtype="<i8").tobytes()


class ParquetWriter:
    """Writes rows to a file group by group; `finish` makes it a whole one."""

    def __init__(self, file: BinaryIO, columns: Sequence[ParquetColumn]) -> None:
        self._file, self._columns = file, columns
        self._rows: list[Sequence[Any]] = []
        self._bytes = 0
        self._groups: list[bytes] = []
        self.count = 0
        file.write(MAGIC)

    def write(self, rows: Iterable[Sequence[Any]]) -> None:
        """Add rows, each with a value for every column."""
        for row in rows:
            self._rows.append(row)
            self._bytes += sum(len(cell) for cell in row if isinstance(cell, str))
            if len(self._rows) >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
                self._end_group()

    def finish(self) -> None:
        """Write the last group and where everything is."""
        if self._rows:
            self._end_group()
        root = _struct((4, _BINARY, b"schema"), (5, _I32, len(self._columns)))
        elements = [root, *(column.described() for column in self._columns)]
        footer = _struct(
            (1, _I32, 1),
            (2, _LIST, (_STRUCT, elements)),
            (3, _I64, self.count),
            (4, _LIST, (_STRUCT, self._groups)),
            (6, _BINARY, b"write-console"),
        )
        self._file.write(footer + len(footer).to_bytes(4, "little") + MAGIC)

    def _end_group(self) -> None:
        count = len(self._rows)
        chunks, size = [], 0
        for column, values in zip(
            self._columns, zip(*self._rows, strict=True), strict=True
        ):
            chunk, length = self._chunk(column, values)
            chunks.append(chunk)
            size += length
        self._groups.append(
            _struct(
                (1, _LIST, (_STRUCT, chunks)),
                (2, _I64, size),
                (3, _I64, count),
            )
        )
        self.count += count
        self._rows, self._bytes = [], 0

    def _chunk(self, column: ParquetColumn, values: Sequence[Any]) -> tuple[bytes, int]:
        """Write one column of a group; return its ColumnChunk, and its whole size."""
        plain = column.page(values)
        packed = gzip.compress(plain, compresslevel=1, mtime=0)
        around = _struct(
            (1, _I32, len(values)),
            (2, _I32, _PLAIN),
            (3, _I32, _RLE),
            (4, _I32, _RLE),
        )
        header = _struct(
            (1, _I32, _DATA_PAGE),
            (2, _I32, len(plain)),
            (3, _I32, len(packed)),
            (5, _STRUCT, around),
        )
        offset = self._file.tell()
        self._file.write(header)
        self._file.write(packed)
        whole = len(header) + len(plain)
        meta = _struct(
            (1, _I32, column.type),
            (2, _LIST, (_I32, [_zigzag(_PLAIN), _zigzag(_RLE)])),
            (3, _LIST, (_BINARY, [_binary(column.name.encode())])),
            (4, _I32, _GZIP),
            (5, _I64, len(values)),
            (6, _I64, whole),
            (7, _I64, len(header) + len(packed)),
            (9, _I64, offset),
        )
        return _struct((2, _I64, offset), (3, _STRUCT, meta)), whole


def _levels(is_there: Any) -> bytes:
    """Return which values are there: one run, packed to bits."""
    packed = np.packbits(is_there, bitorder="little").tobytes()
    # The lowest bit says that it is packed; the rest counts bytes.
    return _varint(len(packed) << 1 | 1) + packed


# --- Thrift's compact protocol --------------------------------------------------------


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _zigzag(number: int) -> bytes:
    # Nothing here is negative.
    return _varint(number << 1)


def _binary(value: bytes) -> bytes:
    return _varint(len(value)) + value


def _struct(*fields: tuple[int, int, Any]) -> bytes:
    """Return a struct of (number, type, value); a field that is None is left out.

    A list is (type of its elements, encoded elements); a struct is encoded already.
    """
    out, before = bytearray(), 0
    for number, type_, value in fields:
        if value is None:
            continue
        out.append((number - before) << 4 | type_)
        out += _encoded(type_, value)
        before = number
    out.append(0)
    return bytes(out)


def _encoded(type_: int, value: Any) -> bytes:
    match type_:
        case 5 | 6:
            return _zigzag(value)
        case 8:
            return _binary(value)
        case 9:
            of, elements = value
            count = len(elements)
            head = bytes([count << 4 | of]) if count < 15 else bytes([0xF0 | of])
            return head + (b"" if count < 15 else _varint(count)) + b"".join(elements)
    encoded: bytes = value
    return encoded


# The LogicalType of moments in UTC: TIMESTAMP with isAdjustedToUTC and unit MICROS.
_TRUE = 1
_MICROS = _struct((2, _STRUCT, _struct()))
_IN_UTC = _struct((8, _STRUCT, _struct((1, _TRUE, b""), (2, _STRUCT, _MICROS))))
