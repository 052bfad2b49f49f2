"""How long the web server waits for a client."""

# Seconds that a client has, and bytes it has to move for each second beyond them.
PATIENCE = 10.0
SLOWEST = 16 * 1024
# It may save up time by being quick, but not rest for longer than this.
LONGEST_REST = 30.0


class Pace:
    """Ten seconds, and one more for each 16 KiB that came or went.

    Only the time counts that is spent waiting for the client.
    """

    def __init__(self, patience: float | None = None) -> None:
        self._left = PATIENCE if patience is None else patience

    def moved(self, size: int) -> None:
        """Note that bytes came or went."""
        self._left += size / SLOWEST

    def waited(self, seconds: float) -> None:
        """Note that the client was waited for."""
        self._left -= seconds

    @property
    def longest(self) -> float:
        """The seconds it may take until the next byte."""
        return max(0.0, min(self._left, LONGEST_REST))
