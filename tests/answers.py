"""What an answer shows: codes, levels, ids and attributes, whatever its wording."""

from html.parser import HTMLParser
from typing import Any

from django.forms import BaseForm

# They have no end tag, so they hold no text.
_VOID = {"br", "hr", "img", "input", "link", "meta", "path", "rect", "use", "wbr"}


def levels(answer: Any) -> list[str]:
    """Return the levels of the messages on a page, in order."""
    return [message.level_tag for message in answer.context["messages"]]


def codes(form: BaseForm) -> dict[str, list[str | None]]:
    """Return the codes of the errors of a form, by field; "__all__" is the form."""
    found = form.errors.as_data().items()
    return {field: [error.code for error in errors] for field, errors in found}


class Shown(HTMLParser):
    """A page. `ids` are those of its elements, `texts` what each of these holds.

    `data` lists the values of each data attribute, in order, without its "data-".
    """

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.data: dict[str, list[str]] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(answer.content.decode())
        self.close()

    @property
    def ids(self) -> set[str]:
        """The ids of its elements."""
        return set(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            if name.startswith("data-"):
                self.data.setdefault(name.removeprefix("data-"), []).append(value)
        if "id" in given:
            self.texts[given["id"]] = ""
        if tag not in _VOID:
            self._open.append((tag, given.get("id", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in [name for name, _ in self._open]:
            while self._open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        for _, name in self._open:
            if name:
                self.texts[name] += data
