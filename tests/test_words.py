"""No page, message or document uses a word that the glossary has replaced."""

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("ampersand", "console", "files", "operations", "sandbox", "writes")
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "CHANGELOG.md",
    "sandbox/README.md",
    "docs",
)

# What is not said any more, as a regular expression, and what is said instead.
OLD_WORDS = {
    r"\bbecame of\b": "Result",
    r"(?-i:\bWhere to\b)": "Destination",
    r"\bask now\b": "Refresh from Ampersand",
    r"\bcustomer groups?\b|(?-i:\bGroups? of\b|\bAdd group\b|\bNo group\b)": "Customer",
    r"\bremote status\b|\bAmpersand's word\b": "API status",
    r"(?-i:^The answer$)": "Raw response",
    r"\bcurl command\b|\bsame as curl\b": "Copy as cURL",
    r"\bheld back\b|\bh[eo]ld(s|ing)? \w+ back\b|\bhold(s|ing)? back\b": (
        "Excluded (of rows), Queued (of a part)"
    ),
    r"\bdeal(s|t|ing)? with\b": "Resolve",
    r"\bmend(s|ed|ing)?\b": "Fix",
    r"\b(findings?|which|that|what|it|header|rows?) (blocks?|warns?)\b"
    r"|\bblocks? (it|the file)\b|(?-i:^(blocks|warns|notes)$)": "Error, Warning, Info",
    r"\bRead amp\.yaml\b": "Import amp.yaml",
    r"\b(import|imported from) a describe\b": "Import fields",
    r"\bobjects that may be written\b|(?-i:^May be written$)": "Writable objects",
    r"(?-i:^How it is reached$)": "Connection",
    r"\btoo many requests \(429\)": "Rate limited by Ampersand (429)",
    r"(?-i:^Who$)": "User",
    r"(?-i:^What$)": "File, Operation",
    r"(?-i:^Facts( and timeline)?$)": "Details",
    r"(?-i:^(Field|Type|Value) \d+$)": "Field, Type, Value",
    r"(?-i:^Not known$)": "Unknown",
    r", as ([“`<]|\S+[._/:]\w)": "for example",
    r"\b(not allowed|another choice) (in|of) the (picklist|list of choices)\b": (
        "Invalid picklist values"
    ),
    r"\bkeys? (that )?(occurs?|stands?) (twice|more than once)\b": "Duplicate keys",
    r"\banother number of (cells|columns)\b": "Wrong number of columns",
    r"\bdates? in no known (form|format)\b": "Unrecognized date format",
    r"(?<!\d)\b1 (rows|requests|parts|records|findings|operations)\b": "the singular",
}
PATTERNS = {re.compile(old, re.I | re.M): new for old, new in OLD_WORDS.items()}

Text = tuple[int, str]


def said_wrongly(path: Path, texts: Iterator[Text]) -> list[str]:
    """Return each old word in the texts of a file, with its line and the new one."""
    return [
        f"{path.relative_to(ROOT)}:{line}: “{found[0]}” → {new}"
        for line, text in texts
        for pattern, new in PATTERNS.items()
        if (found := pattern.search(" ".join(text.split())))
    ]


def said_wrongly_in(
    paths: Iterable[Path], reader: Callable[[Path], Iterator[Text]]
) -> list[str]:
    """Return the old words in files; fails where there is no file to read."""
    wrong = [said_wrongly(path, reader(path)) for path in paths]
    assert wrong
    return [each for of_file in wrong for each in of_file]


def is_said(text: str) -> bool:
    """Tell whether a text in code is for people.

    Such a text has a space or begins with a capital letter. One word in lower case is
    the name of something, or stored.
    """
    return " " in text.strip() or text[:1].isupper()


# --- Templates ------------------------------------------------------------------


COMMENT = re.compile(r"\{#.*?#\}|\{% comment %\}.*?\{% endcomment %\}", re.DOTALL)
TAG = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
HANDED_ON = re.compile(r'"([^"]*)"')
READ_ATTRIBUTES = ("alt", "aria-label", "data-label", "placeholder", "title", "value")


class _Texts(HTMLParser):
    """Collects what people read of a page: its texts, and attributes that are said."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Text] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in READ_ATTRIBUTES and value:
                self.found.append((self.getpos()[0], value))

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.found.append((self.getpos()[0], data))


def texts_of_template(path: Path) -> Iterator[Text]:
    """Yield what people read of a template, without tags, names and comments."""
    source = COMMENT.sub(_only_lines, path.read_text(encoding="utf-8"))
    for tag in TAG.finditer(source):
        line = source.count("\n", 0, tag.start()) + 1
        yield from ((line, text) for text in HANDED_ON.findall(tag[0]) if is_said(text))
    parser = _Texts()
    parser.feed(TAG.sub(lambda tag: "…" + _only_lines(tag), source))
    yield from parser.found


def _only_lines(found: re.Match[str]) -> str:
    return "\n" * found[0].count("\n")


# --- Python ---------------------------------------------------------------------


def texts_of_module(path: Path) -> Iterator[Text]:
    """Yield the texts in a module that people may read, docstrings apart."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    passed_over = {id(text) for text in _not_shown(tree)}
    for node in ast.walk(tree):
        if id(node) not in passed_over and is_said(text := _text(node)):
            yield node.lineno, text


def _not_shown(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield docstrings, the pieces of f-strings, and the names that a module offers."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            yield from ast.walk(node.value)
        if isinstance(node, ast.Expr):
            yield node.value
        if isinstance(node, ast.JoinedStr):
            yield from node.values


def _text(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(value) or "…" for value in node.values)
    return ""


# --- Scripts --------------------------------------------------------------------


def texts_of_script(path: Path) -> Iterator[Text]:
    """Yield the texts in a script that people may read, without its comments."""
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        code = re.sub(r"^\s*//.*", "", line)
        for found in re.findall(r"""(["'`])(.*?)\1""", code):
            if is_said(found[1]):
                yield number, found[1]


# --- Documents ------------------------------------------------------------------


def texts_of_document(path: Path) -> Iterator[Text]:
    """Yield the lines of a document, without code.

    The glossary names the words of the code in its first column.
    """
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^```.*?^```", _only_lines, text, flags=re.M | re.DOTALL)
    for number, line in enumerate(text.split("\n"), 1):
        if path.name == "glossary.md":
            line = re.sub(r"^\|[^|]*\|", "|", line)
        yield number, re.sub(r"(?<!as )`[^`]*`", "…", line)


# --- The test -------------------------------------------------------------------


def _documents() -> list[Path]:
    found = [ROOT / name for name in DOCUMENTS]
    return [
        each
        for path in found
        for each in (sorted(path.rglob("*.md")) if path.is_dir() else [path])
    ]


def test_no_template_uses_an_old_word() -> None:
    paths = sorted((ROOT / "templates").rglob("*.html"))
    assert said_wrongly_in(paths, texts_of_template) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_no_message_uses_an_old_word(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    shown = [path for path in paths if "migrations" not in path.parts]
    assert said_wrongly_in(shown, texts_of_module) == []


def test_no_script_uses_an_old_word() -> None:
    paths = sorted((ROOT / "static").glob("*.js"))
    assert said_wrongly_in(paths, texts_of_script) == []


def test_no_document_uses_an_old_word() -> None:
    assert said_wrongly_in(_documents(), texts_of_document) == []


@pytest.mark.parametrize(
    ("name", "source", "found"),
    [
        ("a.html", "<p>Ask now</p>", 1),
        ("a.html", '<a title="Ask now" class="mend" href="/mend/">ok</a>', 1),
        ("a.html", '{% include "x.html" with title="Held back rows" only %}', 1),
        ("a.html", "{# mend #}{% if mend %}{{ mend.held }}{% endif %}", 0),
        ("a.py", '"""Mend it."""\nx = "mend"\ny = f"Mend {x}"\n', 1),
        ("a.py", 'x = "customer group"\n', 1),
        ("a.py", '__all__ = ["Mended"]\n', 0),
        ("a.js", '// Ask now\nsay("Ask now", "mend");\n', 1),
        ("a.md", "`mend` is a name\n\n```\nmend\n```\n", 0),
        ("a.md", "rows are held back, as `x`", 2),
        ("glossary.md", "| held back | rows left out | Excluded |", 0),
    ],
)
def test_what_is_read_is_told_from_names(
    name: str, source: str, found: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    path = tmp_path / name
    path.write_text(source, encoding="utf-8")
    readers = {
        ".html": texts_of_template,
        ".py": texts_of_module,
        ".md": texts_of_document,
        ".js": texts_of_script,
    }
    assert len(said_wrongly(path, readers[path.suffix](path))) == found
