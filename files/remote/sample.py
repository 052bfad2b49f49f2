"""What the first 64 KiB of a file tell."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from files.findings import Finding
from files.reading import kinds
from files.reading.scanning import Scan
from files.remote.csv_header import UPLOAD, header_findings, header_names, is_table

_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_blocks = partial(Finding, level="blocks")


@dataclass(frozen=True)
class Sample:
    """The beginning of a file; `is_whole` where that is all of it."""

    content: bytes
    is_whole: bool

    def findings(self, key: str) -> list[Finding]:
        """Return what is wrong, as far as the beginning shows it.

        `key` is the primary key that the header should hold.
        """
        if self.is_whole and not self.content.strip(codecs.BOM_UTF8 + b"\r\n"):
            return [_blocks(rule="empty", message="The file is empty.")]
        kind = self._kind()
        if kind:
            message = (
                f"The URL returns {kind}, not a CSV file. Use a URL that returns the "
                "CSV file."
            )
            return [_blocks(rule="not-csv", message=message)]
        if self.content.startswith(_UTF16):
            message = f"The file is in UTF-16. Save it as UTF-8, {UPLOAD}."
            return [_blocks(rule="not-utf-8", message=message)]
        return [
            *self._about_bytes(),
            *self._about_line_ends(),
            *header_findings(self._text(), key, is_whole=self.is_whole),
        ]

    def line_ends(self) -> dict[str, int]:
        """Return how often each style stands in the sample, also inside cells.

        A CR at the cut is none of them, since it may be half of a CRLF.
        """
        return _line_ends(self.content, is_whole=self.is_whole)

    def header(self, key: str) -> list[str]:
        """Return the column names, [] where they cannot be read or it is no CSV."""
        if self._kind() or self.content.startswith(_UTF16):
            return []
        text = self._text()
        return header_names(text, key) if is_table(text, key) else []

    def _kind(self) -> str:
        kind = kinds.by_bytes(self.content)
        if kind == "zip":
            return "an Excel workbook or a ZIP archive"
        return "" if kind == "csv" else kinds.name(kind)

    def _unmarked(self) -> bytes:
        content = self.content
        while content.startswith(codecs.BOM_UTF8):
            content = content.removeprefix(codecs.BOM_UTF8)
        return content

    def _text(self) -> str:
        text = self._unmarked().decode("utf-8", "replace")
        return text.replace("\r\n", "\n").replace("\r", "\n")

    def _about_bytes(self) -> Iterator[Finding]:
        if self.content.startswith(codecs.BOM_UTF8):
            message = (
                "The file begins with a byte order mark, which Salesforce reads as "
                f"part of the first column's name. Save it without, {UPLOAD}."
            )
            yield _blocks(rule="bom", message=message)
        try:
            # Not final where the cut may run through a character.
            codecs.utf_8_decode(self.content, "strict", self.is_whole)
        except UnicodeDecodeError as error:
            line = self._line(error.start)
            message = (
                f"Byte {self.content[error.start]:#04x} in line {line:,} is not UTF-8. "
                f"Save the file as UTF-8, {UPLOAD}."
            )
            yield _blocks(rule="not-utf-8", message=message, line=line)
        nul = self.content.find(b"\0")
        if nul >= 0:
            line = self._line(nul)
            message = f"Line {line:,} contains a NUL character. Save the file as UTF-8."
            yield _blocks(rule="nul", message=message, line=line)

    def _line(self, position: int) -> int:
        return 1 + sum(_line_ends(self.content[:position], is_whole=True).values())

    def _about_line_ends(self) -> Iterator[Finding]:
        line_ends = self.line_ends()
        for style in ("CRLF", "CR"):
            count = line_ends[style]
            if count:
                message = (
                    f"The beginning of the file has {count:,} {style} line endings; "
                    "Salesforce accepts only LF here, and a file from a URL is not "
                    f"converted. Save the file with LF, {UPLOAD}."
                )
                yield _blocks(rule="line-ends", message=message)


def _line_ends(content: bytes, *, is_whole: bool) -> dict[str, int]:
    scan = Scan("", is_text=True)
    scan.feed(content)
    if is_whole:
        scan.end()
    return scan.line_ends
