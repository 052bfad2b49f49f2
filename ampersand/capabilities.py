"""What a generation of the Write API can do: it decides what a screen offers."""

from dataclasses import dataclass
from typing import Literal

from ampersand.schemas import Action

# What may be done with the rows of a file. By id: those without one are created, the
# others updated, in requests of their own. By key: the same, once the key was searched.
type FileAction = Action | Literal["by_id", "by_key"]


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What one generation can do.

    `actions` are the kinds of write that it takes for one record, `file_actions` those
    for the rows of a file; "upsert" is a job of Ampersand's own, the others are sent as
    records, up to `largest_batch` in a request. `searches` says that records can be
    looked up by the value of a field. `takes_url` says that Ampersand fetches a file by
    itself, `takes_headers` that it hands headers on to the SaaS. `has_update_styles`
    says that its way to update was never published, so that a project has to choose
    one.
    """

    actions: frozenset[Action]
    file_actions: frozenset[FileAction]
    largest_batch: int = 1
    searches: bool = False
    takes_url: bool = False
    takes_headers: bool = False
    has_update_styles: bool = False
