"""What a generation of the Write API can do: it decides what a screen offers."""

from dataclasses import dataclass

from ampersand.schemas import Action


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What one generation can do.

    `actions` are the kinds of write that it takes for one record, `file_actions` those
    for the rows of a file; "upsert" is a job of Ampersand's own, the others are sent as
    records, up to `largest_batch` in a request. `takes_url` says that Ampersand fetches
    a file by itself, `takes_headers` that it hands headers on to the SaaS,
    `takes_asynchronous` that it takes records now and writes them later.
    `has_update_styles` says that its way to update was never published, so that a
    project has to choose one.
    """

    actions: frozenset[Action]
    file_actions: frozenset[Action]
    largest_batch: int = 1
    takes_url: bool = False
    takes_headers: bool = False
    takes_asynchronous: bool = False
    has_update_styles: bool = False
