"""API keys in memory: hidden unless asked for, and cut out of other people's text."""

import hmac
import re
from collections.abc import Iterable
from typing import NoReturn

MASK = "••••"

# Below this length the last four characters would give most of the key away.
SHORTEST_KEY_WITH_HINT = 8


class SecretStr:
    """A text that neither str(), repr(), pickle, copy nor JSON will show.

    Only `reveal` gives the text back, so that every use of it can be found by
    searching for that word.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        """Wrap `value`."""
        self._value = value

    def reveal(self) -> str:
        """Return the text itself."""
        return self._value

    @property
    def last_four(self) -> str:
        """The last four characters, or "" if the text has fewer than eight."""
        return self._value[-4:] if len(self._value) >= SHORTEST_KEY_WITH_HINT else ""

    @property
    def masked(self) -> str:
        """Four bullets and `last_four`: how screens show a key."""
        return MASK + self.last_four

    @property
    def fits_header(self) -> bool:
        """Whether it can be the value of an HTTP header: visible ASCII, not empty."""
        return re.fullmatch(r"[!-~]+", self._value) is not None

    def __repr__(self) -> str:
        return "SecretStr(****)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SecretStr):
            return NotImplemented
        ours, theirs = (
            text.encode(errors="surrogatepass") for text in (self._value, other._value)
        )
        return hmac.compare_digest(ours, theirs)

    def __hash__(self) -> int:
        return hash((SecretStr, self._value))

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied.

        Raises: TypeError, always.
        """
        message = "A SecretStr cannot be pickled or copied."
        raise TypeError(message)


def redact(text: str, secrets: Iterable[SecretStr]) -> str:
    """Return `text` with every occurrence of each secret replaced by "****"."""
    # One may begin as another does: the rest of the longer one would stay.
    for value in sorted((secret.reveal() for secret in secrets), key=len, reverse=True):
        if value:
            text = text.replace(value, "****")
    return text
