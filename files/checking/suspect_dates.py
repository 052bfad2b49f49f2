"""Which cells of a column of dates or times are surely sound: see `suspects`."""

import numpy as np

from files.checking.blocks import Bytes
from files.checking.column_cells import Cells, Mask, equals, is_digit
from files.field import Field
from files.values.dates import FIRST_YEAR, LAST_YEAR


def is_sound_date(_field: Field, cells: Cells) -> Mask:
    """Tell days that every year has, as 2024-12-31."""
    padded = cells.padded(16)
    return equals(_shape(padded), b"0000-00-00") & _is_day(padded)


def is_sound_date_time(_field: Field, cells: Cells) -> Mask:
    """Tell moments of such days, with or without milliseconds, with a zone."""
    padded = cells.padded(32)
    shape = _shape(padded)
    fits = np.zeros(len(padded), bool)
    for form in _DATE_TIMES:
        fits |= equals(shape, form)
    fits &= _is_day(padded) & _is_clock(padded, 11)
    return fits & ~_has_odd_zone(cells)


_DATE_TIMES = [
    b"0000-00-00T00:00:00" + fraction + zone
    for fraction in (b"", b".000")
    for zone in (b"Z", b"+00:00", b"-00:00")
]


def _has_odd_zone(cells: Cells) -> Mask:
    """Tell zones beyond 13 hours or 59 minutes; anything where there is a Z."""
    back = cells.ends - 5
    hours = _two(cells.data[back], cells.data[back + 1])
    minutes = _two(cells.data[back + 3], cells.data[back + 4])
    odd: Mask = (hours > 13) | (minutes > 59)
    odd &= cells.last != 90
    return odd


def is_sound_time(_field: Field, cells: Cells) -> Mask:
    """Tell times in UTC, with or without milliseconds."""
    padded = cells.padded(16)
    shape = _shape(padded)
    fits = equals(shape, b"00:00:00Z") | equals(shape, b"00:00:00.000Z")
    return fits & _is_clock(padded, 0)


def _shape(padded: Bytes) -> Bytes:
    """Return the cells with 0 for each digit."""
    return np.where(is_digit(padded), np.uint8(48), padded)


def _is_day(padded: Bytes) -> Mask:
    """Tell which of the cells that look like a date are one in every year."""
    century = _two(padded[:, 0], padded[:, 1])
    month = _two(padded[:, 5], padded[:, 6])
    day = _two(padded[:, 8], padded[:, 9])
    sound = (century >= FIRST_YEAR // 100 + 1) & (century < LAST_YEAR // 100)
    return sound & _DAYS[month, day]


def _is_clock(padded: Bytes, at: int) -> Mask:
    hour, minute, second = (
        _two(padded[:, at + step], padded[:, at + step + 1]) for step in (0, 3, 6)
    )
    return (hour < 24) & (minute < 60) & (second < 60)


def _two(tens: Bytes, ones: Bytes) -> Bytes:
    """Return the number of two digits; any number where they are none."""
    return (tens - np.uint8(48)) * np.uint8(10) + (ones - np.uint8(48))


_DAYS = np.zeros((256, 256), bool)
for _month, _last_day in enumerate((31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31), 1):
    _DAYS[_month, 1 : _last_day + 1] = True
