"""Writes that come from another one: its failed rows, or its first rows."""

import math
import sqlite3
import uuid
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction

from console.actor import SYSTEM, Actor
from files.grid.parent_rows import write_parent_rows
from files.mending.recipes import Recipe
from files.mending.taken_out import origin_of
from files.raw_records import cut
from files.rows.fates import FAILED
from files.rows.row_store import RowStore
from writes import calls, storage
from writes.actions import begin_job, save_draft
from writes.actions.quota import QuotaReached, need_quota
from writes.actions.tell_audit import audit_draft
from writes.models import Author, Call, FileJob, Write, WriteQuerySet
from writes.recipe import recipe_as_json
from writes.storage import NewFiles, delete

TARGET = (
    "integration",
    "object_name",
    "group_ref",
    "group_name",
    "primary_key",
    "action",
    "all_or_none",
    "headers_json",
    "deadline_hours",
    "source",
)

DRAFT = Write.State.DRAFT


class NoChild(Exception):
    """There is nothing to make a child of; the text tells why."""


def retry_failed(write: Write, actor: Actor) -> Write:
    """Return a draft of the rows of `write` that failed, with the same mapping.

    Its file has the columns of the original, byte for byte. A draft of theirs that the
    person has already is returned as it is: a second one beside it would send the same
    rows once more. Raises `NoChild` if no row failed, and `FileNotFoundError` if the
    files are gone.
    """
    try:
        with RowStore(write.path_of("rows_store")) as store:
            failed = [outcome.row for outcome in store.outcomes(FAILED)]
    except sqlite3.DatabaseError:
        raise NoChild(
            "The results of its rows cannot be read. Match the rows again on the page "
            "of its rows."
        ) from None
    if not failed:
        raise NoChild("No row failed.")
    return _retry(write, actor, failed)


def halve(call: Call, actor: Actor) -> Write:
    """Return a draft of the rows of a request that failed as a whole, in two requests.

    One of the two goes through where one row is at fault; of the other there are halves
    again. Raises `NoChild` where the rows are told apart, or where there is a draft of
    failed rows already, and `FileNotFoundError` if the files are gone.
    """
    write = call.batch.write
    if not call.has_hidden_fault:
        raise NoChild("Its rows did not all fail for one reason.")
    in_file = calls.origin_of(write)
    rows = sorted(map(in_file, range(call.first_row, call.last_row + 1)))
    most = math.ceil(call.row_count / 2)
    made = _retry(write, actor, rows, most_per_request=most)
    if made.most_per_request != most or made.jobs.exists():
        raise NoChild(
            f"Write {made.pk} is already a draft of its failed rows. Send or discard "
            "it first."
        )
    return made


def _retry(write: Write, actor: Actor, failed: list[int], **values: Any) -> Write:
    """Return a draft of these rows, or the one of failed rows that there is."""
    _need_quota(write, actor)
    new_files = NewFiles()
    path, rows = new_files.path("original"), new_files.path("parent-rows", "bin")
    try:
        write_parent_rows(rows, failed)
        cut(write.path_of("as_read"), path, failed)
        with transaction.atomic():
            # Of two clicks at the same moment the second waits for the first.
            Write.objects.select_for_update().get(pk=write.pk)
            mine = retries_of(write).filter(started_by=actor.user, state=DRAFT).first()
            if mine is None:
                return child(
                    write,
                    actor,
                    Write.Relation.RETRY,
                    original=new_files.name_of(path),
                    parent_rows=new_files.name_of(rows),
                    file_name=f"failed rows of {write.file_name}"[:255],
                    recipe_json=_of_rows(write.recipe, failed),
                    is_ready=False,
                    **values,
                )
    except BaseException:
        new_files.discard()
        raise
    new_files.discard()
    return mine


def _need_quota(write: Write, actor: Actor) -> None:
    """Raise `NoChild` where the person's drafts keep too much already."""
    if actor.user is None:
        return
    try:
        need_quota(actor.user, write.path_of("original").stat().st_size)
    except QuotaReached as error:
        raise NoChild(str(error)) from None


def retries_of(write: Write) -> WriteQuerySet:
    """Return the retries of the failed rows of `write` that were not discarded."""
    retries = Write.objects.filter(parent=write, relation=Write.Relation.RETRY)
    return retries.not_discarded().order_by("pk")


def _of_rows(recipe: Recipe, rows: list[int]) -> dict[str, Any]:
    """Return the recipe for a file that has only these rows: cells move with them."""
    places = {row: place for place, row in enumerate(rows, start=2)}
    cells = {
        (places[row], column): text
        for (row, column), text in recipe.cells.items()
        if row in places
    }
    moved = Recipe(columns=recipe.columns, constants=recipe.constants, cells=cells)
    return recipe_as_json(moved)


def try_first(write: Write, actor: Actor, count: int) -> Write:
    """Return a draft of the first `count` rows of a draft, which loses them.

    So no row can be sent twice, whatever is sent first. Raises `NoChild` if there are
    not more rows than that, or if some are on trial already.
    """
    if not write.is_draft or not write.is_ready or write.source != Write.Source.CSV:
        raise NoChild("Only a checked file that was not sent can have a trial.")
    if write.relation == Write.Relation.TRIAL:
        raise NoChild("This is already a trial. Discard it and choose fewer rows.")
    if not 1 <= count < (write.row_count or 0):
        raise NoChild(f"Enter 1 to {(write.row_count or 1) - 1:,} rows.")
    recipe = write.recipe
    _need_quota(write, actor)
    tried = origin_of(recipe).row(1 + count) - 1
    name = storage.linked(write.original.name, "original")
    try:
        with transaction.atomic():
            trial = child(
                write,
                actor,
                Write.Relation.TRIAL,
                original=name,
                file_name=write.file_name,
                inspection=write.inspection,
                reading=write.reading,
                recipe_json=recipe_as_json(replace(recipe, only_first=tried)),
                is_ready=False,
            )
            hand_on_authors(write, trial)
            _take_from(write, replace(recipe, skip_first=tried), actor)
    except IntegrityError:
        delete(name)
        raise NoChild("It already has a trial.") from None
    except BaseException:
        delete(name)
        raise
    return trial


def hand_on_authors(write: Write, taken: Write) -> None:
    """Have those who made a draft count as authors of what was taken from it."""
    people = {*write.authors.values_list("person", flat=True), write.started_by_id}
    Author.objects.bulk_create(
        Author(write=taken, person_id=person) for person in people if person
    )


def _take_from(write: Write, recipe: Recipe, actor: Actor) -> None:
    recipe_json = recipe_as_json(recipe)
    if not write.revise(by=actor, is_ready=False, recipe_json=recipe_json):
        raise NoChild("It was changed at the same time. Review it again.")


def discard(write: Write, *, wait: bool = True, actor: Actor = SYSTEM) -> bool:
    """Put a draft away; tell whether it still was one. `actor` is who wished so.

    What the clock puts away is told together: see `writes.actions.retention`. The rows
    of a trial go back to its parent, which is checked anew: at once where it is small,
    unless `wait` is false.
    """
    by = "" if actor is SYSTEM else actor.name
    with transaction.atomic():
        if not write.change(only_from=DRAFT, by=by, state=Write.State.DISCARDED):
            return False
        write.approvals.end("withdrawn", "The draft was discarded.", actor=actor)
        parent = _put_back(write, actor)
        if by:
            audit_draft(write, actor, "write.discarded", "nothing was sent")
    if parent is not None:
        size = parent.inspection["size"]
        begin_job.begin(parent, FileJob.Kind.CHECK, size=size, wait=wait)
    return True


def _put_back(trial: Write, actor: Actor) -> Write | None:
    """Give the rows of a discarded trial back to its parent, and return that.

    None if it was no trial, or if the parent is no draft any more.
    """
    parent = trial.parent
    if trial.relation != Write.Relation.TRIAL or parent is None:
        return None
    while parent.is_draft:
        # Whoever changes the parent at the same moment must not keep them out of it.
        recipe = replace(parent.recipe, skip_first=trial.recipe.skip_first)
        recipe_json = recipe_as_json(recipe)
        if parent.revise(by=actor, is_ready=False, recipe_json=recipe_json):
            return parent
    return None


def child(write: Write, actor: Actor, relation: str, **values: Any) -> Write:
    """Return a new draft that goes where `write` goes, and carries `values`."""
    return save_draft.save_draft(
        token=uuid.uuid4(),
        actor=actor,
        parent=write,
        relation=relation,
        **{name: getattr(write, name) for name in TARGET},
        **values,
    )
