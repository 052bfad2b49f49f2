"""How the values of a workbook are written as text."""

import datetime as dt
from decimal import Decimal

# Excel keeps 15 digits of a number: the others are zeros already.
DIGITS = 15


def number(value: float) -> str:
    """Return a number in as many digits as Excel keeps: never "1.0" or "1e-07"."""
    if abs(value) < 10**DIGITS and value == int(value):
        return str(int(value))
    # Excel stores two digits more than it shows, as in 12.100000000000001.
    digits = repr(value) if abs(value) >= 10**DIGITS else f"{value:.{DIGITS}g}"
    return f"{Decimal(digits):f}".removesuffix(".0")


def clock(value: dt.time) -> str:
    """Return "10:00:00", with milliseconds where there are any."""
    return value.isoformat("milliseconds" if value.microsecond else "seconds")


def duration(value: dt.timedelta) -> str:
    """Return "26:30:00", as Excel shows it."""
    seconds, sign = value.total_seconds(), ""
    if seconds < 0:
        seconds, sign = -seconds, "-"
    minutes, rest = divmod(round(seconds), 60)
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}:{rest:02}"
