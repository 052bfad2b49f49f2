"""Which cells of a column the rules should look at: all that may be wrong, few others.

Every function here may call a sound cell suspect; none may let pass a cell of which
`files.values.rules.problem` or `files.values.damage` says something, but for characters
that `odd_bytes` finds. Rules are not told here: suspects are
judged by the same functions as on the exact path.
"""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from files.checking.blocks import Bytes
from files.checking.column_cells import (
    WIDEST,
    Cells,
    Mask,
    count_bytes,
    everywhere,
    is_digit,
    mixed,
    width_for,
    words,
)
from files.checking.suspect_dates import (
    is_sound_date,
    is_sound_date_time,
    is_sound_time,
)
from files.checking.suspect_texts import suspect_texts
from files.field import Field, Type

_Sound = Callable[[Field, Cells], Mask]


def is_spaced(cells: Cells) -> Mask:
    """Tell the cells that may begin or end with a space of any kind."""
    odd = (cells.first <= 32) | (cells.last <= 32)
    if cells.is_ascii:
        return odd
    odd |= (cells.first >= 0xC2) & _SPACE_STARTS[_pairs(cells.data, cells.starts)]
    odd |= (cells.last >= 0x80) & _SPACE_ENDS[_pairs(cells.data, cells.ends - 2)]
    return odd


def is_suspect(field: Field, cells: Cells) -> Mask:
    """Tell the cells of which the rules for the field's values may say something."""
    check = _SOUND.get(field.type, _is_sound_text)
    suspect = ~check(field, cells)
    if field.type not in _SOUND or field.is_external_id or _is_open_choice(field):
        suspect |= suspect_texts(cells)
    return suspect


def _is_open_choice(field: Field) -> bool:
    return field.type in ("picklist", "multipicklist") and not field.is_restricted


def _is_sound_text(field: Field, cells: Cells) -> Mask:
    if not field.length:
        return np.ones(len(cells.lengths), bool)
    return cells.lengths <= field.length


def _is_sound_number(field: Field, cells: Cells) -> Mask:
    padded = cells.padded(_width(cells))
    digits = count_bytes(is_digit(padded))
    signs = (cells.first == 43) | (cells.first == 45)
    limit = 9 if field.type == "int" else WIDEST
    if field.digits or field.scale:
        limit = min(limit, field.digits)
    others = cells.lengths - digits - signs
    sound: Mask = (digits > 0) & (digits <= limit) & (cells.lengths <= WIDEST)
    if field.type == "int":
        sound &= others == 0
        return sound
    points = (others == 1) & (count_bytes(padded == 46) == 1)
    if field.digits or field.scale:
        points &= _has_point_near_end(cells, field.scale)
    sound &= (others == 0) | points
    return sound


def _has_point_near_end(cells: Cells, scale: int) -> Mask:
    near = np.zeros(len(cells.lengths), bool)
    for back in range(1, min(scale, 8) + 2):
        near |= cells.data[np.maximum(cells.ends - back, cells.starts)] == 46
    return near


def _is_sound_boolean(_field: Field, cells: Cells) -> Mask:
    return _is_one_of(_BOOLEANS, cells)


_BOOLEANS = tuple(
    spelling
    for word in ("true", "false")
    for spelling in (word, word.upper(), word.title())
) + ("1", "0")


def _is_sound_choice(field: Field, cells: Cells) -> Mask:
    if not field.is_restricted:
        return _is_sound_text(field, cells)
    return _is_one_of(field.values, cells)


def _is_one_of(values: tuple[str, ...], cells: Cells) -> Mask:
    """Tell the cells that are one of the values, as far as these are not very long."""
    width, hashes, wanted = _choices(values)
    if not len(hashes):
        return np.zeros(len(cells.lengths), bool)
    found = words(cells.padded(width))
    place = np.searchsorted(hashes, mixed(found))
    same = wanted[np.minimum(place, len(hashes) - 1)] == found
    return everywhere(same) & (cells.lengths <= width)


@lru_cache(maxsize=256)
def _choices(
    values: tuple[str, ...],
) -> tuple[int, NDArray[np.uint64], NDArray[np.uint64]]:
    """Return the values as words, in the order of their hashes."""
    texts = [text.encode() for text in dict.fromkeys(values) if _can_be_bytes(text)]
    texts = [text for text in texts if 0 < len(text) <= WIDEST]
    width = width_for(max(map(len, texts), default=0))
    joined = b"".join(text.ljust(width, b"\0") for text in texts)
    table = np.frombuffer(joined, np.uint64).reshape(-1, width // 8)
    hashes = mixed(table)
    order = np.argsort(hashes)
    return width, hashes[order], table[order]


def _can_be_bytes(text: str) -> bool:
    """Whether a cell's bytes are the value's, without quotes and zeros after it."""
    return text.isprintable() and '"' not in text and ";" not in text


def _is_sound_email(field: Field, cells: Cells) -> Mask:
    """Tell plain addresses: no odd bytes, one @, and a short last part after a dot."""
    padded = cells.padded(_width(cells))
    plain = ((padded - np.uint8(33)) < 94) & (padded != 44) & (padded != 59)
    at = padded == 64
    marks = (at | (padded == 46)).reshape(-1)
    # No mark stands beside another: a@b..c, a@.b
    beside = np.zeros_like(marks)
    np.logical_and(marks[1:], marks[:-1], out=beside[1:])
    sound = everywhere(beside.view(np.uint64).reshape(-1, padded.shape[1] // 8) == 0)
    sound &= count_bytes(plain) == cells.lengths
    sound &= (count_bytes(at) == 1) & _has_dot_near_end(cells)
    sound &= (cells.first != 64) & (cells.last != 46)
    sound &= cells.lengths <= min(field.length or WIDEST, WIDEST)
    return sound


def _has_dot_near_end(cells: Cells) -> Mask:
    """Tell where one of the last bytes is a dot, with no @ behind it."""
    found = np.zeros(len(cells.lengths), bool)
    open_ = cells.lengths > _LAST_PART
    for back in range(1, _LAST_PART + 1):
        byte = cells.data[cells.ends - back]
        open_ &= byte != 64
        found |= open_ & (byte == 46)
    return found


_LAST_PART = 7


def _is_sound_id(_field: Field, cells: Cells) -> Mask:
    padded = cells.padded(24)
    upper = (padded - np.uint8(65)) < 26
    letters = ((padded | np.uint8(32)) - np.uint8(97)) < 26
    plain: Mask = count_bytes(letters | is_digit(padded)) == cells.lengths
    fits = cells.lengths == 18
    for group in range(3):
        bits = np.zeros(len(padded), np.uint8)
        for place in range(5):
            bits |= upper[:, group * 5 + place].view(np.uint8) << np.uint8(place)
        fits &= _SUFFIX[bits] == padded[:, 15 + group]
    plain &= fits | (cells.lengths == 15)
    return plain


_SUFFIX = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ012345", np.uint8)


def _width(cells: Cells) -> int:
    return width_for(int(cells.lengths.max()))


def _pairs(data: Bytes, at: NDArray[np.int64]) -> NDArray[np.uint16]:
    return data[at].astype(np.uint16) << np.uint16(8) | data[at + 1]


def _of_pairs(pairs: set[bytes]) -> Mask:
    table = np.zeros(2**16, bool)
    for pair in pairs:
        table[int.from_bytes(pair)] = True
    return table


# The first and the last two bytes of every space that is not ASCII.
_SPACES = [char.encode() for char in map(chr, range(128, 2**16)) if char.isspace()]
_SPACE_STARTS = _of_pairs({space[:2] for space in _SPACES})
_SPACE_ENDS = _of_pairs({space[-2:] for space in _SPACES})

_SOUND: dict[Type, _Sound] = {
    "int": _is_sound_number,
    "double": _is_sound_number,
    "currency": _is_sound_number,
    "percent": _is_sound_number,
    "boolean": _is_sound_boolean,
    "picklist": _is_sound_choice,
    "multipicklist": _is_sound_choice,
    "email": _is_sound_email,
    "id": _is_sound_id,
    "reference": _is_sound_id,
    "date": is_sound_date,
    "datetime": is_sound_date_time,
    "time": is_sound_time,
}
