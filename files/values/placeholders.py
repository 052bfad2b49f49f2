"""Words that programs write where there is no value, and errors of a spreadsheet.

They are compared in lower case of ASCII, as bytes: so the fast path does it too.
"""

from typing import Literal

Placeholder = Literal["word", "error"]

_WORDS = (
    *("null", "nil", "none", "nan", "-nan", "+nan", "nat", "undefined", "\\n", "\\\\n"),
    *("n/a", "n.a.", "n.a", "n\\a", "#n/a", "#na", "#null", "not available"),
    *("not applicable", "null null", "none none", "nan nan", "undefined undefined"),
    *(f"{left}{word}{right}" for left, right in ("()", "<>", "[]", "{}")
      for word in ("null", "none", "na", "n/a", "nan", "blank", "empty")),
    *("-1.#ind", "-1.#qnan", "nan(ind)", "-nan(ind)"),
    *("[object object]", "-", "--", "---", "–", "—"),
    # What Excel calls #N/A in other languages; Salesforce knows only that one.
    *("#nv", "#n/d", "#n/d!", "#n/b", "#н/д", "#yok", "#hiány", "#i/t", "#saknas!"),
)  # fmt: skip
_ERRORS = (
    *("#ref!", "#value!", "#name?", "#div/0!", "#num!", "#null!", "#n/a!", "#spill!"),
    *("#calc!", "#field!", "#blocked!", "#connect!", "#unknown!", "#busy!", "#error!"),
    *("#external!", "#python!", "#timeout!", "#getting_data", "#cycle!"),
    # German, French, Spanish, Italian, Portuguese, Dutch, Polish, Swedish, Russian
    *("#bezug!", "#wert!", "#zahl!", "#überlauf!", "#feld!"),
    *("#valeur!", "#nom?", "#nombre!", "#nul!", "#propagation!"),
    *("#¡ref!", "#¡valor!", "#¿nombre?", "#¡div/0!", "#¡num!", "#¡nulo!"),
    *("#rif!", "#valore!", "#nome?", "#nullo!", "#valor!", "#núm!", "#nulo!"),
    *("#verw!", "#waarde!", "#naam?", "#deel/0!", "#getal!", "#leeg!"),
    *("#adr!", "#arg!", "#nazwa?", "#dziel/0!", "#liczba!", "#zero!"),
    *("#referens!", "#värdefel!", "#namn?", "#division/0!", "#ogiltigt!", "#skärning!"),
    *("#ссылка!", "#знач!", "#имя?", "#дел/0!", "#число!", "#пусто!"),
)


def _keys(texts: tuple[str, ...]) -> frozenset[bytes]:
    spellings = {spelling for text in texts for spelling in (text, text.upper())}
    return frozenset(spelling.encode().lower() for spelling in spellings)


WORDS, ERRORS = _keys(_WORDS), _keys(_ERRORS)
# R writes it, but so is Namibia: in capitals only.
NA = "NA"
LONGEST = max(map(len, WORDS | ERRORS))


def placeholder(text: str) -> Placeholder | None:
    """Return what a value without spaces at its ends stands in for, if it does.

    A row of question marks is what is left of characters that were lost, one of number
    signs what Excel shows of a number in too narrow a column.
    """
    if len(text) <= LONGEST:
        key = text.encode(errors="surrogatepass").lower()
        if key in WORDS or text == NA:
            return "word"
        if key in ERRORS:
            return "error"
    is_row = text[:1] in ("?", "#") and not text.strip(text[0])
    return "word" if is_row and (text[0] == "?" or len(text) > 2) else None


def stands_for_nothing(text: str) -> bool:
    """Whether a placeholder can be nothing else, also in a column of text.

    Not so are words that are somebody's name or answer, as Null, Nan and None, dashes,
    and question marks, which were characters once.
    """
    is_listed = placeholder(text) is not None and len(text.strip("?#")) > 0
    return is_listed and not _MARKS.isdisjoint(text)


_MARKS = frozenset("#/.<>()[]{}\\")
