"""One line a figure: `figure NAME VALUE UNIT limit LIMIT ok|SHORT`."""

import sys

_short: list[str] = []


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    at_most: float | None = None,
    exactly: float | None = None,
) -> None:
    """Print a figure. It falls short above `at_most`, or when it is not `exactly`."""
    is_short = (at_most is not None and value > at_most) or (
        exactly is not None and value != exactly
    )
    if is_short:
        _short.append(name)
    limit = at_most if at_most is not None else exactly
    said = "none" if limit is None else _number(limit)
    verdict = "SHORT" if is_short else "ok"
    print(f"figure {name} {_number(value)} {unit} limit {said} {verdict}", flush=True)


def finish() -> None:
    """End the script: exit 1 if one figure fell short."""
    sys.exit(1 if _short else 0)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
