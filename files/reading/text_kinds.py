"""Texts that are no table: JSON, XML, web pages, e-mails and the like.

A header may begin with “{”, “[” or “<” as well: only what also goes on as that kind
does is told apart from a table.
"""

import json
import re
from xml.parsers import expat

import numpy as np

from files.lines import text_lines
from files.reading import encodings

_LOOKED_AT = 64 * 2**10
# With more control characters than these in the beginning it is no text.
_MOST_CONTROLS, _LEAST_BYTES = 0.1, 64
_BEGINNINGS = {
    "BEGIN:VCARD": "vcard",
    "BEGIN:VCALENDAR": "calendar",
    "ID;PWXL;": "sylk",
    "ID;PSCALC": "sylk",
}
# An object, or a list of them, with a name in quotes: no header has that.
_JSON_OBJECT = re.compile(r'\[?\s*\{\s*"(?:[^"\\]|\\.)*"\s*:|\[\s*\{\s*\}|\{\s*\}\s*\Z')
_TAG = re.compile(r"<([a-zA-Z][\w.:-]*)(?:\s[^<>]*)?/?>")
_HTML = {
    *("html", "head", "title", "meta", "link", "style", "script", "body", "div"),
    *("center", "form", "table", "caption", "colgroup", "thead", "tbody", "tfoot"),
    *("tr", "th", "td"),
}
# These begin a page whether or not they are closed.
_HTML_ALONE = {"html", "head", "body", "meta", "link"}
_MAIL_LINE = re.compile(r"[A-Za-z][A-Za-z0-9-]*:(?:[ \t]|$)")
_MAIL_NAMES = ("mime-version:", "received:", "message-id:", "return-path:")
_MAIL_LINES = 60


def recognise(head: bytes) -> str:
    """Return the kind of a text by its first bytes: "csv" unless it is surely other."""
    codec = encodings.marked(head) or encodings.wide(head)
    if not codec and _is_binary(head):
        return "binary"
    text = head[:_LOOKED_AT].decode(codec or "utf-8", "replace")
    text = text.lstrip("\ufeff").lstrip()
    for beginning, kind in _BEGINNINGS.items():
        if text.startswith(beginning):
            return kind
    if text.startswith("<"):
        return _of_tags(text, is_whole=len(head) <= _LOOKED_AT)
    if text.startswith(("{", "[")):
        return "json" if _is_json(text) else "csv"
    if re.match(r"---[ \t]*(?:#.*)?\r?\n[ \t]*(?:- |\w[\w ]*:[ \t\r\n])", text):
        return "yaml"
    return "email" if _is_mail(text) else "csv"


def _is_binary(head: bytes) -> bool:
    data = np.frombuffer(head[:_LOOKED_AT], np.uint8)
    is_control = (data < 0x20) & ~np.isin(data, np.frombuffer(b"\t\n\r\x0b\x0c", "u1"))
    return data.size >= _LEAST_BYTES and bool(is_control.mean() > _MOST_CONTROLS)


def _is_json(text: str) -> bool:
    if _JSON_OBJECT.match(text):
        return True
    if not text.startswith("["):
        return False
    # A list in the first line, or over several of them.
    for candidate in (text_lines(text)[0], text):
        try:
            json.loads(candidate)
        except (ValueError, RecursionError):
            continue
        return True
    return False


def _of_tags(text: str, *, is_whole: bool) -> str:
    lower = text.lower()
    if lower.startswith(("<?xml", "<!doctype", "<!--")):
        return _of_markup(lower)
    tag = _TAG.match(lower)
    if tag is None:
        return "csv"
    is_html = tag[1] in _HTML_ALONE or (tag[1] in _HTML and f"</{tag[1]}" in lower)
    return _of_markup(lower) if is_html or _is_xml(text, is_whole) else "csv"


def _of_markup(lower: str) -> str:
    if "urn:schemas-microsoft-com:office:spreadsheet" in lower:
        return "xml-spreadsheet"
    tags = {tag[1] for tag in _TAG.finditer(lower)}
    if "table" in tags or {"tr", "td"} <= tags:
        return "html-table"
    is_html = lower.startswith("<!doctype html") or tags & {"html", "head", "body"}
    return "html" if is_html or (tags and tags <= _HTML) else "xml"


def _is_xml(text: str, is_whole: bool) -> bool:
    """Whether elements open and close as they should, as far as the text goes."""
    closed: list[str] = []
    parser = expat.ParserCreate()
    parser.EndElementHandler = closed.append
    try:
        parser.Parse(text.encode(errors="replace"), is_whole)
    except expat.ExpatError:
        return False
    return bool(closed)


def _is_mail(text: str) -> bool:
    """Whether it begins with the fields of an e-mail."""
    lines = text_lines(text[: 16 * 2**10])[:_MAIL_LINES]
    if lines and lines[0].startswith("From "):
        lines = lines[1:]
    for line in lines:
        if not line[:1].isspace() and not _MAIL_LINE.match(line):
            return False
        if line.lower().startswith(_MAIL_NAMES):
            return True
    return False
