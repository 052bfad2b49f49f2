"""What an operator asks to have written, from the first draft to its last row."""

import json
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone

from ampersand import LONGEST_DEADLINE, Association, Target
from console.access.roles import Person, Role, environments_for, role_in
from console.access.scoping import OfEnvironment
from console.actor import SYSTEM, Actor
from console.models import Integration, Project
from files.mending import recipes
from files.mending.recipes import Recipe
from files.reading.inspection import Inspection
from files.records_json.lanes import Lanes, unpacked
from files.rows.fates import Totals
from operations.models import Operation


def new_path(kind: str, ending: str = "csv") -> str:
    """Return a name in the storage that nothing has yet and nobody can guess.

    A file is never kept under its own name: that is the sender's text.
    """
    return f"writes/{timezone.now():%Y/%m}/{uuid.uuid4().hex}.{kind}.{ending}"


# The files of a write in words, as the beginning of a sentence.
_WHAT = {
    "original": "The file as uploaded",
    "as_read": "The file as converted",
    "as_sent": "The file as sent",
    "held_back": "The file of excluded rows",
    "findings": "The file of check results",
    "rows_store": "The result of each row",
    "row_index": "The index of the rows",
    "parent_rows": "The list of the rows that failed before",
}


class WriteQuerySet(OfEnvironment["Write"]):
    """Questions asked of writes."""

    def drafts(self) -> "WriteQuerySet":
        """Return those that were reviewed and not sent, newest first."""
        return self.filter(state=Write.State.DRAFT).order_by("-pk")

    def visible_to(self, user: Person) -> "WriteQuerySet":
        """Return what `user` may see: what was confirmed, and their own.

        Of the environments where they have a role; where they are an admin, all.
        """
        managed = environments_for(user, Role.ADMIN)
        mine = Q(started_by=user) | Q(integration__project__environment__in=managed)
        return super().visible_to(user).filter(Q(state=Write.State.CONFIRMED) | mine)

    def not_indexed(self) -> "WriteQuerySet":
        """Return those that were confirmed and that no record finds yet.

        Not those of which this console never sees the rows.
        """
        seen = (Write.Source.CSV, Write.Source.RECORD)
        return self.filter(
            indexed=Write.Indexed.NOT_YET, state=Write.State.CONFIRMED, source__in=seen
        )

    def not_discarded(self) -> "WriteQuerySet":
        """Return those that may still be sent, or were."""
        return self.exclude(state=Write.State.DISCARDED)


class Write(models.Model):
    """What an operator asked for: a record, a CSV or an address, and where it goes.

    A draft is what is being reviewed. Confirming it is one conditional UPDATE, so that
    of two clicks, tabs or people only one sends.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "Draft"
        CONFIRMED = "confirmed", "Confirmed"
        DISCARDED = "discarded", "Discarded"

    class Source(models.TextChoices):
        RECORD = "record", "Record"
        CSV = "csv", "CSV file"
        URL = "url", "URL"

    class Action(models.TextChoices):
        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        UPSERT = "upsert", "Upsert"
        DELETE = "delete", "Delete"
        # Of rows in two lanes: those without an id are created, the others updated.
        BY_ID = "by_id", "Create or update"
        # The same, by a key that is looked up first (`writes.worker.look_up`).
        BY_KEY = "by_key", "Create or update"

    class Delivery(models.TextChoices):
        """How the text of a file reaches Ampersand."""

        TEXT = "text", "In one request"
        PARTS = "parts", "In parts"
        CONSOLE = "console", "Downloaded by Ampersand from this console"
        STORE = "store", "Downloaded by Ampersand from the S3 store"
        UPLOAD = "upload", "Uploaded to Ampersand's storage"

    class Relation(models.TextChoices):
        """What a write is to the one that it came from."""

        AGAIN = "again", "sent again from"
        RETRY = "retry", "a retry of the failed rows of"
        TRIAL = "trial", "a trial of the first rows of"

    class Indexed(models.TextChoices):
        """Whether a record finds it (`writes.record_index`)."""

        NOT_YET = "", "Not yet"
        YES = "yes", "Yes"
        NO_MORE = "no_more", "Not any more"

    # The files of a write, by the names of their columns.
    FILES: ClassVar = (
        "original",
        "as_read",
        "as_sent",
        "held_back",
        "findings",
        "rows_store",
        "row_index",
        "parent_rows",
    )

    # Made when the form is shown: the same form posted twice is the same write.
    token = models.UUIDField(unique=True, default=uuid.uuid4)
    state = models.CharField(max_length=10, choices=State, default=State.DRAFT)
    source = models.CharField(max_length=10, choices=Source)
    action = models.CharField(max_length=10, choices=Action)
    integration = models.ForeignKey(
        Integration, on_delete=models.PROTECT, related_name="writes"
    )
    object_name = models.CharField(max_length=200)
    group_ref = models.CharField(max_length=200)
    group_name = models.CharField(max_length=100, blank=True)

    # Source record.
    record_id = models.CharField(max_length=100, blank=True)
    # JSON text, since a JSON column would forget the order of the fields.
    record = models.TextField(default="{}", blank=True)
    # What it is linked to: `ampersand.Association`, as JSON.
    associations_json = models.JSONField(default=list, db_default=[], blank=True)
    # Sources csv and url.
    primary_key = models.CharField(max_length=200, blank=True)
    url = models.TextField(blank=True)
    file_name = models.CharField(max_length=255, blank=True)
    original = models.FileField(blank=True)
    # In UTF-8, with LF and commas; the same file as `original` where that was so.
    as_read = models.FileField(blank=True)
    as_sent = models.FileField(blank=True)
    # The rows that were left out, and every finding as CSV.
    held_back = models.FileField(blank=True)
    findings = models.FileField(blank=True)
    # Where the rows of `as_read` begin, and which have findings (`files.grid`).
    row_index = models.FileField(blank=True, default="", db_default="")
    # Of a retry: the row in its parent of each of its rows (`files.grid.parent_rows`).
    parent_rows = models.FileField(blank=True, default="", db_default="")
    # `files.reading.inspection.Inspection` and, once agreed on, `Reading`, as JSON.
    inspection = models.JSONField(default=dict, blank=True)
    reading = models.JSONField(default=dict, blank=True)
    # What is changed between reading and sending: `files.mending.recipes.Recipe`.
    recipe_json = models.JSONField(default=dict, blank=True)
    # Of a run: what its columns are in JSON (`files.records_json.typing.kinds_of`).
    typing_json = models.JSONField(default=dict, db_default={}, blank=True)
    # Of a deletion of rows: whether Ampersand takes the file as a whole, as one job.
    deletes_in_bulk = models.BooleanField(default=False, db_default=False)
    # Of a run in two lanes: which rows are updates (`files.records_json.lanes`).
    lanes_packed = models.BinaryField(null=True)
    # When the first of its keys was looked up, where they are.
    looked_up_at = models.DateTimeField(null=True)
    # No request of it carries more records than this, where it is set.
    most_per_request = models.PositiveSmallIntegerField(null=True)
    # Whether all records of a request are written or none.
    all_or_none = models.BooleanField(default=False, db_default=False)
    # What Ampersand hands on to Salesforce (`ampersand.provider_headers`), by name.
    headers_json = models.JSONField(default=dict, db_default={}, blank=True)
    # How many hours Ampersand may try to write its records. None where it is to answer
    # at once how each of them fared.
    deadline_hours = models.PositiveSmallIntegerField(null=True)
    # What checking the file found: see `writes.worker.check_file`.
    check_report = models.JSONField(default=dict, blank=True)
    row_count = models.PositiveIntegerField(null=True)
    # Whether nothing keeps it from being sent. A file is not until it was checked.
    is_ready = models.BooleanField(default=True)
    # Counts what changes the file to send, so that a check that is late is not kept.
    edition = models.PositiveIntegerField(default=1)
    delivery = models.CharField(max_length=10, choices=Delivery, default=Delivery.TEXT)
    # Of a file in parts: once so many rows failed, nothing more of it goes by itself.
    stop_after = models.PositiveIntegerField(null=True)
    # Whether its parts may be under way at the same time.
    is_parallel = models.BooleanField(default=False)
    # Since when, and through whom, nothing more of it is let go.
    paused_at = models.DateTimeField(null=True)
    paused_by_name = models.CharField(max_length=150, blank=True)
    pause_reason = models.CharField(
        max_length=500, blank=True, default="", db_default=""
    )
    # What the address of a URL write answered when it was looked at.
    remote_file = models.JSONField(default=dict, blank=True)

    # Afterwards: how each row fared (`files.rows.row_store`), and the sums.
    rows_store = models.FileField(blank=True)
    rows_report = models.JSONField(default=dict, blank=True)
    # What the operations told when the rows were joined to it.
    rows_told = models.CharField(max_length=64, blank=True)
    indexed = models.CharField(
        max_length=10,
        choices=Indexed,
        default=Indexed.NOT_YET,
        db_default=Indexed.NOT_YET,
        blank=True,
    )

    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.SET_NULL,
        related_name="writes",
    )
    started_by_name = models.CharField(max_length=150)
    # The write that this one came from, and what it is to it.
    parent = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="children"
    )
    relation = models.CharField(max_length=10, choices=Relation, blank=True)
    # The reason or ticket that was given when it was confirmed.
    reason = models.CharField(max_length=200, blank=True)
    # The earlier write with the same content, and why it was sent once more.
    repeats = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="repeated_by"
    )
    repeat_reason = models.CharField(max_length=200, blank=True)
    # The operation with an unknown outcome whose content it sends once more.
    resends = models.ForeignKey(
        Operation, null=True, on_delete=models.SET_NULL, related_name="resent_by"
    )
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True)
    # The last event that people may have been told of ("" while there is none to
    # tell), and how many there were: see `writes.actions.tell`.
    told = models.CharField(max_length=10, blank=True, default="", db_default="")
    told_count = models.PositiveIntegerField(default=0, db_default=0)
    # When the sweep took its files and values away; digests and counts stay.
    files_deleted_at = models.DateTimeField(null=True)
    # When the last value went that was kept beside it; sweeps go on until then.
    values_deleted_at = models.DateTimeField(null=True)

    objects = WriteQuerySet.as_manager()
    PROJECT = "integration__project"

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=["draft", "confirmed", "discarded"]),
                name="write_state_known",
            ),
            models.CheckConstraint(
                condition=Q(source="record", action__in=["create", "update", "delete"])
                | Q(
                    source="csv",
                    action__in=["create", "update", "delete", "by_id", "by_key"],
                )
                | Q(source__in=["csv", "url"], action="upsert"),
                name="write_action_fits_source",
            ),
            models.CheckConstraint(
                condition=~Q(source="record", action__in=["update", "delete"])
                | ~Q(record_id=""),
                name="write_names_record",
            ),
            models.CheckConstraint(
                condition=~Q(action__in=["upsert", "by_id", "by_key"])
                | ~Q(primary_key=""),
                name="write_upsert_has_key",
            ),
            models.CheckConstraint(
                condition=Q(deletes_in_bulk=False)
                | Q(source="csv", action="delete") & ~Q(primary_key=""),
                name="write_bulk_deletion_has_key",
            ),
            models.CheckConstraint(
                condition=Q(deadline_hours=None)
                | Q(
                    source="csv",
                    action__in=["create", "update"],
                    deadline_hours__range=(1, LONGEST_DEADLINE),
                ),
                name="write_deadline_fits",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(confirmed_at__isnull=False),
                name="write_confirmed_has_time",
            ),
            models.CheckConstraint(
                condition=~Q(state="confirmed") | Q(is_ready=True),
                name="write_confirmed_was_ready",
            ),
            models.CheckConstraint(
                condition=Q(repeats=None) | ~Q(repeat_reason=""),
                name="write_repeat_has_reason",
            ),
            # Of a draft only one part can be on trial: two could overlap.
            models.UniqueConstraint(
                fields=["parent"],
                condition=Q(relation="trial", state__in=["draft", "confirmed"]),
                name="write_one_trial",
            ),
        ]
        indexes = [
            # Home: which drafts are mine? Not partial: SQLite does not see that a
            # bound value fits the condition.
            models.Index(fields=["started_by", "state", "-id"], name="write_drafts"),
            # Retention: whose files and values go next?
            models.Index(
                fields=["confirmed_at"],
                condition=Q(files_deleted_at=None, confirmed_at__isnull=False),
                name="write_with_values",
            ),
            # Retention: of which is something left?
            models.Index(
                fields=["id"],
                condition=Q(files_deleted_at__isnull=False, values_deleted_at=None),
                name="write_half_swept",
            ),
            # The record search: which writes may have carried it unnoticed?
            models.Index(
                fields=["indexed", "state", "source", "integration", "-id"],
                name="write_by_indexed",
            ),
        ]

    def __str__(self) -> str:
        return f"Write {self.pk}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        is_new = self._state.adding
        with transaction.atomic():
            super().save(*args, **kwargs)
            if is_new:
                self._keep_transition("", by=self.started_by_name)

    def get_absolute_url(self) -> str:
        return reverse("writes:detail", args=[self.pk])

    @property
    def trial(self) -> "Write | None":
        """The trial of its first rows, unless it was discarded."""
        trials = self.children.filter(relation=Write.Relation.TRIAL).not_discarded()
        return trials.select_related("integration__project").first()

    def may_be_seen_by(self, user: Person) -> bool:
        """Tell of one write what `WriteQuerySet.visible_to` tells of many."""
        role = role_in(user, self.project.environment)
        if self.state == self.State.CONFIRMED or self.started_by_id == user.pk:
            return role >= Role.VIEWER
        return role >= Role.ADMIN

    @property
    def is_draft(self) -> bool:
        """Whether it may still be sent or changed."""
        return self.state == self.State.DRAFT

    @property
    def project(self) -> Project:
        """The project that the integration belongs to."""
        return self.integration.project

    @property
    def group_label(self) -> str:
        """The customer in words, with the groupRef that Ampersand knows."""
        if self.group_name:
            return f"{self.group_name} ({self.group_ref})"
        return self.group_ref

    @property
    def count_label(self) -> str:
        """How many records of which object, as "3,000 opportunity records"."""
        if self.source == self.Source.RECORD:
            return f"1 {self.object_name} record"
        if self.source == self.Source.URL:
            return f"{self.object_name} records from a URL"
        if self.row_count is None:
            return f"{self.object_name} records, not counted yet"
        noun = "record" if self.row_count == 1 else "records"
        return f"{self.row_count:,} {self.object_name} {noun}"

    def record_fields(self) -> dict[str, Any]:
        """Return the record to write, field by field, in the order typed.

        {} once retention took it away.
        """
        fields: dict[str, Any] = json.loads(self.record)
        return fields

    def associations(self) -> list[Association]:
        """Return what the record is linked to."""
        return [Association(**each) for each in self.associations_json]

    @property
    def has_content(self) -> bool:
        """Whether what it sends is there still: retention leaves but an address."""
        return self.files_deleted_at is None or self.source == self.Source.URL

    def need_content(self) -> None:
        """Raise `FileNotFoundError`, which says since when, where it is gone."""
        if not self.has_content:
            raise FileNotFoundError(
                f"The values of write {self.pk} were deleted on "
                f"{self.files_deleted_at:%-d %b %Y}, when their retention period "
                "ended. What was written is not affected; counts, digests and ids are "
                "kept."
            )

    @property
    def inspected(self) -> Inspection | None:
        """What a first look at its file told, None where nobody looked."""
        return Inspection.from_json(self.inspection) if self.inspection else None

    def target(self) -> Target:
        """Return where it goes, in the words of the client."""
        return Target(
            project=self.project.remote_id,
            integration=self.integration.remote_id,
            object_name=self.object_name,
            group_ref=self.group_ref,
            headers=tuple(self.headers_json.items()),
        )

    @property
    def is_run(self) -> bool:
        """Whether its rows go out as records, some at a time."""
        return self.source == self.Source.CSV and not self.is_job

    @property
    def is_job(self) -> bool:
        """Whether Ampersand takes its rows as a whole, and works on them as a job."""
        return self.action == self.Action.UPSERT or self.deletes_in_bulk

    @property
    def goes_in_parts(self) -> bool:
        """Whether its file may have to be cut, each part being a job of its own."""
        ways = (self.Delivery.PARTS, self.Delivery.UPLOAD)
        return self.source == self.Source.CSV and self.is_job and self.delivery in ways

    @property
    def types(self) -> tuple[str, ...]:
        """What is done with the rows of a run, in the order of the file as sent."""
        if self.has_lanes:
            return (self.Action.CREATE.value, self.Action.UPDATE.value)
        return (self.action,)

    def most_of(self, type_: str) -> int:
        """Return how many records one request of a run may carry, by its type."""
        most = self.integration.most_in_batch(type_, self.object_name)
        return min(most, self.most_per_request or most)

    @property
    def most_in_batch(self) -> int:
        """How many records one request of a run may carry, whatever its type."""
        return max(map(self.most_of, self.types))

    @property
    def has_lanes(self) -> bool:
        """Whether some of its rows are created and the others updated."""
        return self.action in (self.Action.BY_ID, self.Action.BY_KEY)

    @property
    def lanes(self) -> Lanes | None:
        """The two lanes of its rows, None where it has none or was not checked."""
        if self.lanes_packed is None or self.row_count is None:
            return None
        return unpacked(bytes(self.lanes_packed), self.row_count)

    @property
    def is_asynchronous(self) -> bool:
        """Whether its records are accepted first, and written later."""
        return self.deadline_hours is not None

    @property
    def mode(self) -> str:
        """When its records are written, in Ampersand's word for it."""
        return "asynchronous" if self.is_asynchronous else "synchronous"

    @property
    def is_on_trial(self) -> bool:
        """Whether its rows are the first ones or the rest of a trial.

        Its file must stay as it is then: with other rows the two could overlap.
        """
        if self.relation == self.Relation.TRIAL:
            return True
        trials = self.children.filter(relation=self.Relation.TRIAL)
        return trials.exclude(state=self.State.DISCARDED).exists()

    @property
    def has_warnings(self) -> bool:
        """Whether checking its file found more than notes."""
        groups = self.check_report.get("groups", [])
        return any(group["level"] != "notes" for group in groups)

    def read_anew(self) -> None:
        """Read its own columns again, and keep what else was read with it."""
        own = [each.name for each in self._meta.concrete_fields if not each.is_relation]
        self.refresh_from_db(fields=own)

    @property
    def rows_totals(self) -> Totals | None:
        """How its rows fared, None until they are joined to their outcome.

        None, too, where another version joined them and told it in other words.
        """
        if not self.rows_report:
            return None
        try:
            return Totals.from_json(self.rows_report)
        except (KeyError, TypeError):
            return None

    @property
    def recipe(self) -> Recipe:
        """What is changed between reading its file and sending it."""
        return recipes.from_json(self.recipe_json)

    def path_of(self, kind: str) -> Path:
        """Return where a file of FILES lies.

        Raises `FileNotFoundError`, which says in words what is missing, since when, and
        what that means.
        """
        stored = getattr(self, kind)
        if not stored or not Path(stored.path).exists():
            raise FileNotFoundError(self._missing(kind))
        return Path(stored.path)

    def _missing(self, kind: str) -> str:
        """Say of a file of FILES that it is not there, and why."""
        name = f"{_WHAT[kind]} of write {self.pk}"
        if self.file_name:
            name += f" ({self.file_name})"
        if self.files_deleted_at:
            return (
                f"{name} was deleted on {self.files_deleted_at:%-d %b %Y}, when its "
                "retention period ended. What was sent is not affected; its counts "
                "are kept."
            )
        if not getattr(self, kind):
            return (
                f"{name} does not exist: the file has not been checked, or did not "
                "need it."
            )
        return (
            f"{name} is missing. It was stored on {self.created_at:%-d %b %Y}, this "
            "console did not delete it, and it is no longer in DATA_DIR. What was "
            "sent is not affected; to send what was not sent yet, upload the file "
            "again."
        )

    def change(
        self,
        *,
        only_from: str,
        only_edition: int | None = None,
        by: str = "",
        **values: Any,
    ) -> bool:
        """Set `values` if the state is still `only_from`; tell whether it was.

        With `only_edition`, only if the file to send is still that one, too. A new
        state is kept as a `WriteTransition` in the same transaction, with the `reason`
        where one is set; `by` names the person who did it, if one did.
        """
        rows = Write.objects.filter(pk=self.pk, state=only_from)
        if only_edition is not None:
            rows = rows.filter(edition=only_edition)
        values.setdefault("changed_at", timezone.now())
        with transaction.atomic():
            changed = rows.update(**values) == 1
            self.refresh_from_db()
            if changed and self.state != only_from:
                self._keep_transition(only_from, by=by, why=values.get("reason", ""))
        return changed

    change.alters_data = True  # type: ignore[attr-defined]

    def _keep_transition(self, before: str, *, by: str, why: str = "") -> None:
        self.transitions.create(
            number=self.transitions.count() + 1,
            from_state=before,
            to_state=self.state,
            actor_name=by,
            reason=why,
        )

    def revise(self, *, by: Actor = SYSTEM, **values: Any) -> bool:
        """Set `values` of a draft that nobody revised since it was read.

        What was reviewed or checked before counts no more, and an approval that
        somebody asked for is void. `by` is kept as one of its authors. Tells whether
        it was done.
        """
        with transaction.atomic():
            changed = self.change(
                only_from=self.State.DRAFT,
                only_edition=self.edition,
                edition=self.edition + 1,
                **values,
            )
            if changed:
                self.approvals.end("void", "The draft was changed.", actor=by)
                if by.user is not None:
                    self.authors.get_or_create(person=by.user)
        return changed

    revise.alters_data = True  # type: ignore[attr-defined]

    def pause(self, *, by: str, reason: str = "") -> bool:
        """Let nothing more of it go; tell whether it was not paused before."""
        return self._pause(
            None, paused_at=timezone.now(), paused_by_name=by, pause_reason=reason
        )

    pause.alters_data = True  # type: ignore[attr-defined]

    def resume(self) -> bool:
        """Let it go on; tell whether it was paused."""
        if self.paused_at is None:
            return False
        return self._pause(
            self.paused_at, paused_at=None, paused_by_name="", pause_reason=""
        )

    resume.alters_data = True  # type: ignore[attr-defined]

    def _pause(self, before: datetime | None, **values: Any) -> bool:
        confirmed = Write.objects.filter(pk=self.pk, state=self.State.CONFIRMED)
        changed = confirmed.filter(paused_at=before).update(**values) == 1
        self.refresh_from_db()
        return changed
