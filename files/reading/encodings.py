"""How the bytes of a file become text: what is known, the guess, and decoding."""

import codecs
import re
from collections.abc import Callable

import numpy as np
from charset_normalizer import from_bytes

from files.changes import Change, counted
from files.findings import Finding
from files.reading import plausible

# What an operator may choose: the codec, its name, and where it is used.
NAMES = {
    "utf-8": ("UTF-8", ""),
    "utf-16-le": ("UTF-16", "little-endian, Excel's “Unicode Text”"),
    "utf-16-be": ("UTF-16 BE", "big-endian"),
    "utf-32-le": ("UTF-32", "little-endian"),
    "utf-32-be": ("UTF-32 BE", "big-endian"),
    "cp1252": ("Windows-1252", "Western Europe and America"),
    "cp932": ("Shift-JIS", "Japanese"),
    "cp1250": ("Windows-1250", "Central Europe"),
    "cp1251": ("Windows-1251", "Cyrillic"),
    "cp1253": ("Windows-1253", "Greek"),
    "cp1254": ("Windows-1254", "Turkish"),
    "iso8859_2": ("ISO-8859-2", "Central Europe"),
    "iso8859_15": ("ISO-8859-15", "Western Europe, older systems"),
    "mac_roman": ("Mac Roman", "old Macs"),
    "cp850": ("DOS 850", "Western Europe, DOS"),
    "cp1255": ("Windows-1255", "Hebrew"),
    "cp1256": ("Windows-1256", "Arabic"),
    "cp1257": ("Windows-1257", "Baltic"),
    "cp1258": ("Windows-1258", "Vietnamese"),
    "cp874": ("Windows-874", "Thai"),
    "cp437": ("DOS 437", "America, DOS"),
    "cp852": ("DOS 852", "Central Europe, DOS"),
    "cp866": ("DOS 866", "Cyrillic, DOS"),
    "koi8_r": ("KOI8-R", "Cyrillic, Unix"),
    "mac_cyrillic": ("Mac Cyrillic", "old Macs"),
    "gb18030": ("GB 18030", "Chinese, simplified"),
    "big5": ("Big5", "Chinese, traditional"),
    "euc_jp": ("EUC-JP", "Japanese, Unix"),
    "euc_kr": ("EUC-KR", "Korean"),
}
# Longer ones first: that of UTF-32 LE begins with that of UTF-16 LE.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_BYTES_EACH = {"utf-16-le": 2, "utf-16-be": 2, "utf-32-le": 4, "utf-32-be": 4}
_SINGLE = [codec for codec in NAMES if codec not in _BYTES_EACH and codec != "utf-8"]
# Readings that differ by less in how plausible they are count as equals.
_NEAR = 0.02
_WEIGHED = 2 * 2**10


def name(codec: str) -> str:
    """Return what an operator calls a codec."""
    return NAMES[codec][0]


def label(codec: str) -> str:
    """Return the name of a codec, and where it is used."""
    short, where = NAMES[codec]
    return f"{short} ({where})" if where else short


def marked(head: bytes) -> str:
    """Return the codec that a byte order mark tells, "" without one."""
    return next((codec for mark, codec in _MARKS.items() if head.startswith(mark)), "")


def is_wide(codec: str) -> bool:
    """Whether every character takes at least two bytes: UTF-16 and UTF-32."""
    return codec in _BYTES_EACH


def wide(head: bytes) -> str:
    """Return "utf-16-le" or "utf-16-be" by the first bytes without a mark, or "".

    Every comma, quote and line end of such a text is beside a zero byte, always on
    the same side; a text with some stray zeros has most of them elsewhere.
    """
    head = head[: len(head) // 2 * 2]
    if b"\0" not in head:
        return ""
    pairs = np.frombuffer(head, np.uint8).reshape(-1, 2)
    signs = np.isin(pairs, np.frombuffer(b'\n\r\t",;|', np.uint8))
    total = int(np.count_nonzero(signs))
    for codec, side in (("utf-16-le", 0), ("utf-16-be", 1)):
        is_beside_zero = signs[:, side] & (pairs[:, 1 - side] == 0)
        # Characters as “ഊ” (U+0D0A) hold such a byte too, if seldom.
        if total and np.count_nonzero(is_beside_zero) >= 0.8 * total:
            return codec
    return ""


def guess(sample: bytes) -> list[str]:
    """Return all codecs of one byte and more that bytes may be in, the best one first.

    The most plausible reading wins, Windows-1252 among equals of Western scripts:
    Excel writes it where no other is asked for. Of scripts that cannot be told apart
    so, the letters that are frequent in their languages decide.
    """
    weighed = sample[:_WEIGHED]
    # No character is cut.
    weighed = weighed[: weighed.rfind(b"\n") + 1] or weighed
    shares = {codec: _share(weighed, codec) for codec in _SINGLE}
    best = max(shares.values())
    if shares["cp1252"] >= best:
        return _ordered("cp1252", shares)
    fitting = [codec for codec, share in shares.items() if share >= best - _NEAR]
    if "euc_kr" in fitting:
        # Hangul alone; by chance Chinese does not read so.
        return _ordered("euc_kr", shares)
    matches = [
        codec
        for match in from_bytes(sample, cp_isolation=fitting)
        for codec in [match.encoding, *match.could_be_from_charset]
    ]
    likely = [codec for codec in matches if codec in fitting]
    return _ordered([*likely, *fitting][0], shares)


def _ordered(first: str, shares: dict[str, float]) -> list[str]:
    # Sorting keeps the order of `NAMES` among those that are alike.
    by_share = sorted(shares, key=lambda codec: -shares[codec])
    return list(dict.fromkeys([first, *by_share]))


def _share(sample: bytes, codec: str) -> float:
    """Return how plausible bytes are in a codec; what it cannot read is not."""
    return plausible.share(sample.decode(codec, "replace"), codec)


def _keep_undecodable(error: UnicodeError) -> tuple[str, int]:
    """Turn a byte that cannot be decoded into a lone surrogate: no text holds one."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(chr(0xDC00 + byte) for byte in wrong), error.end


codecs.register_error("files.undecodable", _keep_undecodable)
_UNDECODABLE = re.compile("[\udc00-\udcff]")


class Decoder:
    """Turns a text into UTF-8, block after block.

    What cannot be decoded becomes “�” and a finding, one a line.
    """

    def __init__(
        self, codec: str, found: Callable[[Finding], None], *, line_end: str = "\n"
    ) -> None:
        self._codec = codec
        self._decoder = codecs.getincrementaldecoder(codec)("files.undecodable")
        self._found = found
        self._line_end = line_end
        self._line = 1
        self._last_told = 0
        self._characters = 0

    def feed(self, block: bytes, *, is_last: bool = False) -> bytes:
        """Return the UTF-8 of the characters that end in the block."""
        text = self._decoder.decode(block, is_last)
        try:
            decoded = text.encode()
        except UnicodeEncodeError:
            self._tell(text)
            decoded = _UNDECODABLE.sub("\ufffd", text).encode()
        self._line += text.count(self._line_end)
        # Byte order marks are told by themselves.
        beyond = len(text) - _count_ascii(decoded) - text.count("\ufeff")
        self._characters += beyond
        return decoded

    def end(self) -> bytes:
        """Return what is left: a character that was cut off."""
        return self.feed(b"", is_last=True)

    def changes(self) -> list[Change]:
        """Return what was done, for the operator."""
        what = (
            f"The file was read as {name(self._codec)} and is sent as UTF-8, with "
            f"{counted(self._characters, 'non-ASCII character')}."
        )
        return [Change(what, self._characters)]

    def _tell(self, text: str) -> None:
        line, done = self._line, 0
        for match in _UNDECODABLE.finditer(text):
            line += text.count(self._line_end, done, match.start())
            done = match.start()
            if line == self._last_told:
                continue
            self._last_told = line
            self._found(self._finding(line, ord(match[0])))

    def _finding(self, line: int, code: int) -> Finding:
        byte = f"Byte {code - 0xDC00:#04x}"
        what = "A character" if is_wide(self._codec) else byte
        message = (
            f"{what} in line {line:,} is not valid {name(self._codec)}. Choose another "
            "encoding, or correct the line and upload the file again."
        )
        return Finding(level="blocks", rule="not-decodable", message=message, line=line)


def _count_ascii(text: bytes) -> int:
    if text.isascii():
        return len(text)
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) < 0x80))
