"""Whether bytes are UTF-8, and the lines that tell what they are otherwise."""

import codecs
import re

import numpy as np

from files.reading.encodings import marked

_BAD = re.compile("[\udc80-\udcff]")
_OTHER = re.compile("[^\0-\x7f\udc80-\udcff]")
# Beyond this many bytes at fault the verdict stands and they are counted no more.
_ENOUGH = 10_000
_SAMPLE = 128 * 2**10
_SAMPLE_OF_BLOCK = 32 * 2**10
_LONGEST_LINE = 4096
_MARK = 4


class Evidence:
    """Looks at a file block after block: is it UTF-8, wholly or but for some damage?

    `sample` holds whole lines beyond ASCII, from all over the file, if it is not UTF-8.
    """

    def __init__(self) -> None:
        self.sample: list[bytes] = []
        self._sampled = 0
        self._rest = b""
        self._start = b""
        self._line = b""
        self._good = self._bad = 0

    def feed(self, block: bytes) -> None:
        """Look at one block."""
        if len(self._start) < _MARK:
            self._start = (self._start + block)[:_MARK]
        self._weigh(block)
        self._keep_lines(block)

    def end(self) -> None:
        """Look at what is left: a character or a line that was cut off."""
        self._bad += len(self._rest)
        self._keep_lines(b"\n")

    def _weigh(self, block: bytes) -> None:
        """Count the characters that are UTF-8, and the bytes that are not."""
        if self._bad > _ENOUGH or (not self._rest and block.isascii()):
            return
        data = self._rest + block
        try:
            _, used = codecs.utf_8_decode(data, "strict", False)
            leads = np.frombuffer(data[:used], np.uint8) >= 0xC0
            self._good += int(np.count_nonzero(leads))
        except UnicodeDecodeError:
            text, used = codecs.utf_8_decode(data, "surrogateescape", False)
            self._bad += len(_BAD.findall(text))
            self._good += len(_OTHER.findall(text))
        self._rest = data[used:]

    @property
    def is_utf8(self) -> bool:
        """Whether every byte belongs to a character of UTF-8."""
        return self._bad == 0

    @property
    def is_damaged_utf8(self) -> bool:
        """Whether it is UTF-8 but for some bytes: other texts look so by no chance."""
        is_marked = marked(self._start) == "utf-8"
        return self._bad > 0 and (is_marked or self._good > self._bad)

    def _keep_lines(self, block: bytes) -> None:
        """Keep the lines that end in the block, once the file is known to be at fault.

        The start of the last line is kept for the next block.
        """
        if self._sampled >= _SAMPLE:
            return
        if self._bad:
            block, self._line = self._line + block, b""
        end = block.rfind(b"\n") + 1 or block.rfind(b"\r") + 1
        if self._bad:
            end = end or (len(block) if len(block) > _LONGEST_LINE else 0)
            self._sample_of(block[:end])
        start = block[end:] if end else self._line + block
        self._line = start[-_LONGEST_LINE:]

    def _sample_of(self, block: bytes) -> None:
        room = min(_SAMPLE - self._sampled, _SAMPLE_OF_BLOCK)
        done = 0
        for place in np.flatnonzero(np.frombuffer(block, np.uint8) >= 0x80).tolist():
            if place < done:
                continue
            start, done = _line_around(block, place, done)
            self.sample.append(block[start:done])
            self._sampled += done - start
            room -= done - start
            if room <= 0:
                return


def _line_around(block: bytes, place: int, floor: int) -> tuple[int, int]:
    """Return where the line of a byte begins and ends; if it is long, the cells near.

    No character is cut at a comma or a line end: in every encoding here those bytes
    stand for themselves alone.
    """
    lowest = max(floor, place - _LONGEST_LINE)
    highest = min(len(block), place + _LONGEST_LINE)
    start = max(block.rfind(sign, lowest, place) + 1 for sign in (b"\n", b"\r"))
    if not start and lowest > floor:
        start = block.rfind(b",", lowest, place) + 1
    ends = [block.find(sign, place, highest) for sign in (b"\n", b"\r")]
    end = min((end for end in ends if end >= 0), default=-1)
    if end < 0 and highest < len(block):
        end = block.rfind(b",", place, highest)
    return max(start, lowest), highest if end < 0 else end
