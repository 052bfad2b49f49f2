"""How a reader wants logs to be shown: kept in a cookie, as the theme is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

COOKIE = "log_display"
TIMES = {"local": "Local time", "utc": "UTC", "relative": "Since start"}
WRAPS = ("wrap", "lines")


@dataclass(frozen=True)
class LogDisplay:
    """`time` is one of TIMES. Without `wraps` every entry is one line."""

    time: str = "local"
    wraps: bool = True

    @classmethod
    def of(cls, cookies: Mapping[str, str]) -> Self:
        """Return what a browser keeps; whatever makes no sense counts as not given."""
        time, _, wrap = cookies.get(COOKIE, "").partition(".")
        return cls(time if time in TIMES else cls.time, wrap != "lines")

    def changed(self, choice: str) -> Self | None:
        """Return it after a choice of TIMES or WRAPS, None for any other word."""
        if choice in TIMES:
            return replace(self, time=choice)
        if choice in WRAPS:
            return replace(self, wraps=choice == "wrap")
        return None

    @property
    def cookie(self) -> str:
        """What a browser is to keep."""
        return f"{self.time}.{WRAPS[not self.wraps]}"

    @property
    def times(self) -> list[tuple[str, str, bool]]:
        """The ways to show a time: word, label, and whether it is this one."""
        return [(word, label, word == self.time) for word, label in TIMES.items()]


def since(moment: datetime, start: datetime) -> str:
    """Return a time after `start` as +1:02:03.456, before it with a minus."""
    passed = moment - start
    sign = "+" if passed >= timedelta(0) else "−"
    milliseconds = abs(passed) // timedelta(milliseconds=1)
    seconds, thousandths = divmod(milliseconds, 1_000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{sign}{hours}:{minutes:02}:{seconds:02}.{thousandths:03}"
