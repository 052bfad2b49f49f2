"""What a generation of the Write API can do: it decides what a screen offers."""

from dataclasses import dataclass

from ampersand.schemas import Action


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What one generation can do.

    `actions` are the kinds of write that it takes. `has_update_styles` says that its
    way to update was never published, so that a project has to choose one.
    """

    actions: frozenset[Action]
    has_update_styles: bool = False
