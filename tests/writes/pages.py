"""Read a page as a browser does: its labels, its buttons, and what it would submit."""

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse

EVENTS = ("onclick", "onerror", "onload", "onsubmit", "onchange", "style")


class Page(HTMLParser):
    """One page. `submits` holds what each named control of its forms would send."""

    def __init__(self, response: HttpResponse | Any) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.labels: dict[str, str] = {}
        self.buttons: list[str] = []
        self.submits: dict[str, list[str]] = {}
        self.inline: list[str] = []
        self.headings = 0
        self._open: list[tuple[str, dict[str, str]]] = []
        self._text = ""
        self._select = ""
        self.feed(response.content.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.inline += [f"{tag} {name}" for name in given if name in EVENTS]
        self.ids |= {given["id"]} if "id" in given else set()
        self.headings += tag == "h1"
        if tag == "style" or (tag == "script" and "src" not in given):
            self.inline.append(tag)
        if tag == "input" and given.get("name"):
            self._submit(given["name"], given.get("value", ""))
        if tag == "select":
            self._select = given["name"]
            self.submits.setdefault(self._select, [])
        if tag == "option" and "selected" in given:
            self._submit(self._select, given["value"])
        if tag in ("label", "button", "textarea"):
            self._open.append((tag, given))
            self._text = ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag not in ("label", "button", "textarea"):
            return
        _, given = self._open.pop()
        if tag == "label":
            # A label around its control names it without saying so.
            self.labels[self._text.strip()] = given.get("for", "")
        elif tag == "button":
            self.buttons.append(self._text.strip())
        else:
            # HTML drops the first line break, and sends the others as CRLF.
            text = self._text.removeprefix("\n")
            self._submit(given["name"], text.replace("\n", "\r\n"))

    def _submit(self, name: str, value: str) -> None:
        self.submits.setdefault(name, []).append(value)

    def form(self) -> dict[str, list[str]]:
        """Return what the page's own form would send, without the frame's forms."""
        frame = ("csrfmiddlewaretoken", "text", "next")
        return {k: v for k, v in self.submits.items() if k not in frame and v}
