"""Words that people write for true and false, each with one meaning."""

_TRUE = "true yes y ja j oui vrai wahr si sí verdadero vero sim on t"
_FALSE = "false no n nein non faux falsch falso não nao off f"
_MEANT = {
    **dict.fromkeys(_TRUE.split(), "true"),
    **dict.fromkeys(_FALSE.split(), "false"),
}
# As Salesforce takes them, in any case.
_RIGHT = frozenset(("true", "false", "1", "0"))


def boolean_of(text: str) -> str | None:
    """Return "true" or "false" for a word that means it, None for any other text.

    What Salesforce takes comes back as it is.
    """
    word = text.strip().lower()
    return text if text.lower() in _RIGHT else _MEANT.get(word)
