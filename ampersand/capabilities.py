"""What a generation of the Write API can do: it decides what a screen offers."""

from dataclasses import dataclass

from ampersand.schemas import Action


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """What one generation can do.

    `actions` are the kinds of write that it takes for one record, `file_actions` those
    for the rows of a file. Of these `job_actions` are jobs of Ampersand's own, which
    take the file as a whole; the others are sent as records, up to `largest_batch` in a
    request. `takes_url` says that Ampersand fetches a file by itself, `takes_headers`
    and `takes_associations` that it hands those on to the SaaS. A file of
    `largest_upload` bytes can be put where Ampersand fetches it, of none where that is
    0. `has_update_styles` says that its way to update was never published,
    `has_id_spellings` that the id in an update was spelled in two ways: of both a
    project has to choose one.
    """

    actions: frozenset[Action]
    file_actions: frozenset[Action]
    job_actions: frozenset[Action] = frozenset()
    largest_batch: int = 1
    takes_url: bool = False
    takes_headers: bool = False
    takes_associations: bool = False
    largest_upload: int = 0
    has_update_styles: bool = False
    has_id_spellings: bool = False
