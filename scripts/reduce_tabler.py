"""Reduce Tabler's CSS to the rules that the console uses.

`python scripts/reduce_tabler.py` writes static/vendor/tabler/tabler.min.css from
scripts/tabler/tabler.min.css, which is dist/css/tabler.min.css of @tabler/core as npm
has it: a rule a line, without selectors whose classes stand in no template, script or
widget, and without the variables that nothing reads then. Run it when a class of
Tabler's comes into use or falls out of it: a test says so.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "scripts" / "tabler" / "tabler.min.css"
TARGET = ROOT / "static" / "vendor" / "tabler" / "tabler.min.css"
PACKAGES = ("console", "operations", "writes")

# A head, and the text between its braces, or None for what has none, as @charset.
Block = tuple[str, str | None]

WORD = r"-?[A-Za-z_][\w-]*"
_NESTING = ("@media", "@supports", "@container", "@layer")
# Marks are told from what stands in strings, addresses and comments.
_OPAQUE = r'"(?:[^"\\]|\\.)*"|/\*.*?\*/|url\([^"\')]*\)'
_MARK = re.compile(rf"{_OPAQUE}|([{{}};,()\[\]])", re.DOTALL)
_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_LICENCE = re.compile(r"/\*!.*?\*/", re.DOTALL)
# Where classes are named: in templates, in the attributes of widgets, and alone.
_NAMED = (
    re.compile(r'class="((?:\{\{.*?\}\}|\{%.*?%\}|[^"{])*)"', re.DOTALL),
    re.compile(r'"class": "([^"]*)"'),
    re.compile(r'"([a-z]+(?:-[a-z0-9]+)+)"'),
)


@dataclass(frozen=True)
class Used:
    """What the console uses of Tabler: names, how names begin, and variables."""

    names: frozenset[str]
    prefixes: tuple[str, ...]
    variables: frozenset[str]

    def has(self, name: str) -> bool:
        """Tell whether a class or an attribute is used."""
        return name in self.names or name.startswith(self.prefixes)

    def reaches(self, selector: str) -> bool:
        """Tell whether an element of some page may be what `selector` asks for.

        What stands in parentheses, as in `:not(…)`, is not looked at.
        """
        own = "".join(_outside(selector, "(", ")"))
        asked = re.findall(rf"\.({WORD})|\[(data-[\w-]+)", own)
        return all(self.has(name or attribute) for name, attribute in asked)


def main() -> None:
    """Write the reduced style sheet."""
    TARGET.write_text(reduced(SOURCE.read_text(), used_by_the_console()))


def used_by_the_console(root: Path = ROOT) -> Used:
    """Return what templates, widgets, scripts and our own style sheets name."""
    sources = [path.read_text() for path in _sources(root)]
    named = [text for page in sources for at in _NAMED for text in at.findall(page)]
    scripts = [path.read_text() for path in (root / "static").glob("*.js")]
    styles = [path.read_text() for path in (root / "static").glob("*.css")]
    names = {name for text in (*named, *scripts) for name in re.findall(WORD, text)}
    names.update(name for page in sources for name in re.findall(r"data-[\w-]+", page))
    return Used(
        frozenset(names),
        tuple({start for text in named for start in re.findall(r"([\w-]+-)\{", text)}),
        frozenset(re.findall(r"--[\w-]+", "".join((*scripts, *styles)))),
    )


def reduced(css: str, used: Used) -> str:
    """Return the part of a minified style sheet that is about what is used."""
    licence = _LICENCE.findall(css)
    rules = "".join(_reached(_COMMENT.sub("", css), used))
    rules = "".join(_read(rules, _live_variables(rules, used.variables)))
    moves = set(re.findall(WORD, " ".join(_declarations(rules))))
    rules = "".join(
        _line(head, body)
        for head, body in blocks(rules)
        if not head.startswith("@keyframes") or head.split()[1] in moves
    )
    return "\n".join(('@charset "UTF-8";', *licence, rules))


def blocks(css: str) -> Iterator[Block]:
    """Yield the outermost blocks of a style sheet, in order."""
    depth = start = body = 0
    head = ""
    for found in _MARK.finditer(css):
        if found[1] == "{":
            depth += 1
            if depth == 1:
                head, body = css[start : found.start()].strip(), found.end()
        elif found[1] == "}":
            depth -= 1
            if depth == 0:
                yield head, css[body : found.start()].strip()
                start = found.end()
        elif found[1] == ";" and depth == 0:
            yield css[start : found.end()].strip(), None
            start = found.end()
    if depth or css[start:].strip():
        raise ValueError(f"What begins at {start} has no end.")


def split(text: str, mark: str) -> Iterator[str]:
    """Yield the parts of `text` between each `mark` that stands in no bracket."""
    depth = start = 0
    for found in _MARK.finditer(text):
        if found[1] in ("(", "["):
            depth += 1
        elif found[1] in (")", "]"):
            depth -= 1
        elif found[1] == mark and depth == 0:
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]


def _sources(root: Path) -> Iterator[Path]:
    yield from (root / "templates").rglob("*.html")
    for package in PACKAGES:
        yield from (root / package).rglob("*.py")


def _line(head: str, body: str | None) -> str:
    if body is None:
        return f"{head}\n"
    return f"{head}{{{body}}}\n" if body else ""


def _nested(lines: Iterator[str]) -> str:
    text = "".join(lines)
    return f"\n{text}" if text else ""


def _outside(text: str, opening: str, closing: str) -> Iterator[str]:
    depth = 0
    for letter in text:
        depth += letter == opening
        if depth == 0:
            yield letter
        depth -= letter == closing


def _reached(css: str, used: Used) -> Iterator[str]:
    """Yield the blocks with the selectors that reach something."""
    for head, body in blocks(css):
        if body is None:
            continue
        if head.startswith(_NESTING):
            yield _line(head, _nested(_reached(body, used)))
        elif head.startswith("@"):
            yield _line(head, body)
        elif kept := [each for each in split(head, ",") if used.reaches(each)]:
            yield _line(",".join(kept), body)


def _read(css: str, live: set[str]) -> Iterator[str]:
    """Yield the blocks without the variables that nothing reads."""
    for head, body in blocks(css):
        if head.startswith(_NESTING):
            yield _line(head, _nested(_read(body or "", live)))
        elif head.startswith("@property"):
            yield _line(head, body) if head.split()[1] in live else ""
        elif head.startswith("@"):
            yield _line(head, body)
        else:
            kept = (each for each in split(body or "", ";") if _is_read(each, live))
            yield _line(head, ";".join(kept))


def _is_read(declaration: str, live: set[str]) -> bool:
    name = declaration.split(":")[0]
    return not name.startswith("--") or name in live


def _live_variables(css: str, of_our_own: frozenset[str]) -> set[str]:
    """Return the variables that are read, or that one which is read is made of."""
    made_of: dict[str, set[str]] = {}
    live = set(of_our_own)
    for each in _declarations(css):
        name, _, value = each.partition(":")
        read = set(re.findall(r"--[\w-]+", value))
        if name.startswith("--"):
            made_of.setdefault(name, set()).update(read)
        else:
            live |= read
    waiting = list(live)
    while waiting:
        new = made_of.get(waiting.pop(), set()) - live
        live |= new
        waiting += new
    return live


def _declarations(css: str) -> Iterator[str]:
    for head, body in blocks(css):
        if head.startswith((*_NESTING, "@keyframes")):
            yield from _declarations(body or "")
        else:
            yield from split(body or "", ";")


if __name__ == "__main__":
    main()
