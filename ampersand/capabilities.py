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
    for the rows of a file. Of these `job_actions` are jobs of Ampersand's own, which
    take the file as a whole; the others are sent as records, up to `largest_batch` in a
    request. `searches` says that records can be looked up by the value of a field,
    `takes_url` that Ampersand fetches a file by itself, `takes_headers` and
    `takes_associations` that it hands those on to the SaaS, `takes_asynchronous` that
    it takes records now and writes them later. A file of `largest_upload` bytes can be
    put where Ampersand fetches it, of none where that is 0. `has_update_styles` says
    that its way to update was never published, `has_id_spellings` that the id in an
    update was spelled in two ways: of both a project has to choose one.
    """

    actions: frozenset[Action]
    file_actions: frozenset[FileAction]
    job_actions: frozenset[Action] = frozenset()
    largest_batch: int = 1
    searches: bool = False
    takes_url: bool = False
    takes_headers: bool = False
    takes_associations: bool = False
    takes_asynchronous: bool = False
    largest_upload: int = 0
    has_update_styles: bool = False
    has_id_spellings: bool = False
