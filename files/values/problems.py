"""What is wrong with a value, before it is known where it stands."""

from dataclasses import dataclass

from files.findings import Level


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a value: how bad, by which rule, and a sentence or two."""

    level: Level
    rule: str
    message: str
