"""Where cells stand in records that are proved to be regular."""

from typing import NamedTuple

from files.checking.blocks import SLACK, Block, Table, prove

# Of fewer bytes the proof takes longer than reading them record by record.
WORTH_PROVING = 2**14
_QUOTE = 34


class Places(NamedTuple):
    """The cells of a column: what they hold, and where they stand with their quotes."""

    texts: list[str]
    starts: list[int]
    ends: list[int]


def regular(records: bytes, width: int) -> Table | None:
    """Return the cells of whole records, None where they are not proved regular."""
    size = len(records)
    if size < WORTH_PROVING:
        return None
    data = bytearray(size + SLACK)
    data[:size] = records
    return prove(Block(data, size, 0, size), width)


def cells_of(table: Table, place: int) -> Places:
    """Return the cells of one column."""
    data, starts, ends = table.block.data, table.starts[place], table.ends[place]
    pairs = zip(starts.tolist(), ends.tolist(), strict=True)
    texts = [data[start:end].decode() for start, end in pairs]
    if table.has_quotes:
        # Text is never followed by a quote, so this one is the cell's own.
        in_quotes = table.data[ends] == _QUOTE
        starts, ends = starts - in_quotes, ends + in_quotes
        texts = [text.replace('""', '"') for text in texts]
    return Places(texts, starts.tolist(), ends.tolist())
