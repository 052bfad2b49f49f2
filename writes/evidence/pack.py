"""What the evidence pack of a write holds, file by file."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.template.defaultfilters import pluralize
from django.template.loader import render_to_string
from django.utils import timezone

from console import VERSION
from console.access.roles import Person
from console.models import AuditEvent
from files.rows.row_store import RowOutcome, RowStore
from operations.csv_export import exact_lines
from operations.models import OperationTransition
from writes.display.result import result_of
from writes.display.timeline import timeline
from writes.evidence import requests_sent, verify
from writes.evidence.archive import BLOCK, Archive
from writes.evidence.log_lines import exact, lines, log_of
from writes.evidence.requests_sent import AS_SENT, BODIES
from writes.models import Approval, Batch, SweptLog, Write
from writes.storage import measure

# Files and bodies that are larger are left out unless a person wants everything.
MOST = 100 * 1024 * 1024
# So many failed rows and events are shown on the page of the pack; its files have all.
SHOWN = 200
# So many addresses are looked for in the audit trail at once.
ASKED = 500
ROW_COLUMNS = (
    "row",
    "row_as_sent",
    "key",
    "outcome",
    "action",
    "record_id",
    "reason",
    "more_reasons",
)
EVENT_COLUMNS = (
    "id",
    "at",
    "actor_id",
    "actor_name",
    "action",
    "subject",
    "subject_url",
    "project_name",
    "environment",
    "address",
    "correlation_id",
    "detail",
    "key_id",
    "previous_hash",
    "hash",
)
WHAT = {
    AS_SENT: "The file as it was sent, byte for byte",
    "outcomes.csv": "The result of each row; exact, so open it as text: a spreadsheet "
    "may calculate cells that begin with =, +, - or @",
    BODIES: "The exact body of each request, one a line",
    "requests.ndjson": "Each request: address, headers with the key masked, times, "
    "digest of its body",
    "responses.ndjson": "What Ampersand answered",
    "logs.ndjson": "The logs that Ampersand keeps of its operations, as they came",
    "timeline.ndjson": "Each change of state: when, by whom, why",
    "audit.ndjson": "The audit events about this write, with their seals",
    "verify.py": "The program that verifies a pack; take it from the console instead",
    "README.txt": "What this is, and how to verify it",
    "evidence.json": "The facts of this page, for programs",
}


@dataclass(frozen=True)
class Asked:
    """Who wants a pack, when, and whether it is to have files of any size."""

    by: Person
    at: datetime
    everything: bool = False


class Pack:
    """The pack of one write: `stream` yields its bytes, `archive` tells its digest."""

    def __init__(self, write: Write, asked: Asked) -> None:
        self.write, self.asked = write, asked
        self.archive = Archive(asked.at)
        found = write.batches.select_related("operation__project").order_by("number")
        self._batches: list[Batch] = list(found)
        for batch in self._batches:
            batch.write = write
        self._operations = [batch.operation for batch in self._batches]
        most = None if asked.everything else MOST
        self._runs = requests_sent.runs_of(self._batches, most=most)
        self._left_out: list[dict[str, Any]] = []
        self._head = AuditEvent.objects.newest_first().first()
        self._failed: list[RowOutcome] = []
        self._events = 0

    def stream(self) -> Iterator[bytes]:
        """Yield the ZIP, piece by piece, in bounded memory."""
        add = self.archive.add
        as_sent, store = self._as_sent(), self._rows_store()
        if as_sent:
            yield from add(AS_SENT, _blocks(as_sent))
        if store:
            yield from add("outcomes.csv", self._outcomes(store))
        yield from self._requests(has_file=as_sent is not None)
        responses = requests_sent.responses(self._batches)
        yield from add("responses.ndjson", lines(responses))
        yield from add("logs.ndjson", lines(self._logs()))
        yield from add("timeline.ndjson", lines(self._transitions()))
        yield from add("audit.ndjson", lines(self._audit()))
        yield from add("verify.py", _blocks(Path(verify.__file__)))
        context = self._context()
        readme = render_to_string("writes/evidence/README.txt", context)
        yield from add("README.txt", [readme.encode()])
        told = json.dumps(self.facts(), indent=1, default=exact)
        yield from add("evidence.json", [told.encode()])
        page = render_to_string("writes/evidence/index.html", self._context())
        yield from add("index.html", [page.encode()])
        yield from self.archive.end()

    def _as_sent(self) -> Path | None:
        """Return the file as sent if it goes in, and note why it does not."""
        write, report = self.write, self.write.check_report
        if write.source != Write.Source.CSV:
            return None
        size, sha256 = report["as_sent_size"], report["as_sent_sha256"]
        try:
            path = write.path_of("as_sent")
        except FileNotFoundError as error:
            why = str(error)
        else:
            if size > MOST and not self.asked.everything:
                why = f"It has {size:,} bytes: ask for the pack with everything."
            elif measure(path) != (size, sha256):
                why = "The stored file is not the one that was sent: it was changed."
            else:
                return path
        self._leave_out(AS_SENT, why, size, sha256)
        return None

    def _rows_store(self) -> Path | None:
        if self.write.source != Write.Source.CSV:
            return None
        try:
            path = self.write.path_of("rows_store")
            with RowStore(path) as store:
                store.check()
        except FileNotFoundError as error:
            self._leave_out("outcomes.csv", str(error))
            return None
        except sqlite3.DatabaseError:
            why = "The results of the rows cannot be read: match the rows again."
            self._leave_out("outcomes.csv", why)
            return None
        return path

    def _leave_out(
        self, name: str, why: str, size: int | None = None, sha256: str = ""
    ) -> None:
        told = {"name": name, "why": why, "bytes": size, "sha256": sha256}
        self._left_out.append(told)

    def _outcomes(self, path: Path) -> Iterator[bytes]:
        with RowStore(path) as store:
            cells = self._cells(store)
            for line in exact_lines(cells):
                yield line.encode(errors="replace")

    def _cells(self, store: RowStore) -> Iterator[list[str]]:
        yield list(ROW_COLUMNS)
        for each in store.outcomes():
            if each.state != "succeeded" and len(self._failed) < SHOWN:
                self._failed.append(each)
            yield [
                str(each.row),
                str(each.sent_row),
                each.key,
                each.state,
                each.kind,
                each.record,
                each.error,
                json.dumps(each.other_errors) if each.other_errors else "",
            ]

    def _requests(self, *, has_file: bool) -> Iterator[bytes]:
        # Of a file that goes as a whole the bodies are made again of the file.
        if self._runs or self.write.source != Write.Source.CSV:
            made = requests_sent.bodies(self._batches, self._runs)
            yield from self.archive.add(BODIES, made)
        found = requests_sent.requests(
            self._batches, has_file=has_file, runs=self._runs
        )
        yield from self.archive.add("requests.ndjson", lines(found))
        for run in self._runs.values():
            if run.why:
                self._leave_out(BODIES, run.why)
        if self.write.files_deleted_at:
            self._leave_out("responses.ndjson", requests_sent.DELETED)
            if self.write.source == Write.Source.RECORD:
                self._leave_out(BODIES, requests_sent.DELETED)

    def _logs(self) -> Iterator[dict[str, Any]]:
        """Yield the log of each operation as it was when the pack was begun."""
        swept = SweptLog.objects.filter(operation__batch__write=self.write)
        for each in swept.order_by("operation"):
            why = (
                f"The log of operation {each.operation_id}, {each.entries:,} entries, "
                f"was deleted on {each.swept_at:%-d %b %Y}, when its retention ended."
            )
            self._leave_out("logs.ndjson", why, sha256=each.sha256)
        for operation in self._operations:
            yield from log_of(operation)

    def _transitions(self) -> Iterator[dict[str, Any]]:
        for each in self.write.transitions.order_by("number"):
            yield {"write": self.write.pk, **_told(each)}
        found = OperationTransition.objects.filter(operation__batch__write=self.write)
        for change in found.order_by("pk").iterator():
            yield {"operation": change.operation_id, **_told(change)}

    def _audit(self) -> Iterator[dict[str, Any]]:
        """Yield the events about the write and its operations, in order."""
        all_events = AuditEvent.objects.all()
        if self._head:
            all_events = all_events.filter(pk__lte=self._head.pk)
        visible = all_events.visible_to(self.asked.by)
        pages = [each.get_absolute_url() for each in self._operations]
        pages.append(self.write.get_absolute_url())
        keys: list[int] = []
        total = 0
        for some in _in_pieces(pages):
            about = {"subject_url__in": some}
            keys += visible.filter(**about).order_by().values_list("pk", flat=True)
            total += all_events.filter(**about).count()
        if hidden := total - len(keys):
            why = (
                f"{hidden:,} event{pluralize(hidden)} of its draft, which only whoever "
                "did it, and admins, may read."
            )
            self._leave_out("audit.ndjson", why)
        for found in _in_pieces(sorted(keys)):
            events = AuditEvent.objects.filter(pk__in=found).order_by("pk")
            for event in events.values(*EVENT_COLUMNS):
                self._events += 1
                yield event

    def facts(self) -> dict[str, Any]:
        """Return the facts of the page, for programs."""
        write = self.write
        return {
            "format": verify.FORMAT,
            "made_at": self.asked.at,
            "made_by": self.asked.by.get_username(),
            "console": VERSION,
            "public_key": self.archive.public_key,
            "write": _facts(write),
            "approvals": [_approval(each) for each in write.approvals.order_by("pk")],
            "operations": [_operation(batch) for batch in self._batches],
            "result": self._result(),
            "files": self.archive.files,
            "left_out": self._left_out,
            "audit": {"events": self._events, "head": self._told_head()},
        }

    def _result(self) -> dict[str, Any]:
        result, totals = result_of(self.write, self._batches), self.write.rows_totals
        return {
            "words": result.words,
            "is_over": result.is_over,
            "rows": totals.as_json() if totals else None,
        }

    def _told_head(self) -> dict[str, Any] | None:
        head = self._head
        if head is None:
            return None
        return {"id": head.pk, "hash": head.hash, "at": head.at}

    def _context(self) -> dict[str, Any]:
        return {
            "write": self.write,
            "project": self.write.project,
            "asked": self.asked,
            "version": VERSION,
            "public_key": self.archive.public_key,
            "evidence": self.facts(),
            "batches": self._batches[:SHOWN],
            "batches_left": max(0, len(self._batches) - SHOWN),
            "failed": self._failed,
            "timeline": timeline(self.write),
            "files": [
                {"name": name, "what": WHAT.get(name, ""), **told}
                for name, told in self.archive.files.items()
            ],
        }


def _facts(write: Write) -> dict[str, Any]:
    """Return what was asked for, where it went, and the digests of its files."""
    project, report, looked = write.project, write.check_report, write.inspection
    return {
        "id": write.pk,
        "action": write.action,
        "source": write.source,
        "object": write.object_name,
        "customer": write.group_ref,
        "customer_name": write.group_name,
        "project": {"name": project.name, "id": project.remote_id},
        "environment": project.environment,
        "integration": {
            "name": write.integration.name,
            "id": write.integration.remote_id,
        },
        "primary_key": write.primary_key,
        "record_id": write.record_id,
        "started_by": write.started_by_name,
        "reason": write.reason,
        "repeats": write.repeats_id,
        "repeat_reason": write.repeat_reason,
        "came_from": write.parent_id,
        "relation": write.relation,
        "created_at": write.created_at,
        "confirmed_at": write.confirmed_at,
        "file_name": write.file_name,
        "rows": write.row_count,
        "uploaded": {"bytes": looked.get("size"), "sha256": looked.get("sha256")},
        "as_sent": {
            "bytes": report.get("as_sent_size"),
            "sha256": report.get("as_sent_sha256"),
        },
        "excluded": {
            "rows": report.get("held_back_rows"),
            "sha256": report.get("held_back_sha256"),
        },
        "files_deleted_at": write.files_deleted_at,
        "values_deleted_at": write.values_deleted_at,
    }


def _approval(approval: Approval) -> dict[str, Any]:
    """Return who asked that it be sent, who approved or refused, and with which note.

    `digest` is that of what was asked about, which was compared when it was approved.
    """
    names = (
        *("state", "digest", "rules", "reason", "note", "why"),
        *("requested_at", "expires_at", "ended_at"),
    )
    people = {
        "requested_by": approval.requested_by_name,
        "decided_by": approval.decided_by_name,
    }
    return people | {name: getattr(approval, name) for name in names}


def _operation(batch: Batch) -> dict[str, Any]:
    operation = batch.operation
    return {
        "id": operation.pk,
        "part": batch.number,
        "state": operation.state,
        "remote_id": operation.remote_id,
        "remote_status": operation.remote_status,
        "request_id": operation.request_id,
        "record_id": operation.record_id,
        "sent_at": operation.sent_at,
        "answered_at": operation.answered_at,
        "ended_at": operation.ended_at,
        "rows_sent": operation.rows_sent,
        "rows_succeeded": operation.rows_succeeded,
        "rows_failed": operation.rows_failed,
        "reason": operation.reason,
        "resolved_at": operation.resolved_at,
        "resolution": operation.resolution,
    }


def _told(transition: Any) -> dict[str, Any]:
    names = ("number", "at", "from_state", "to_state", "actor_name", "process")
    told = {name: getattr(transition, name) for name in names}
    return told | {"reason": transition.reason}


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _in_pieces[Each](found: list[Each]) -> Iterator[list[Each]]:
    for start in range(0, len(found), ASKED):
        yield found[start : start + ASKED]


def asked_by(user: Person, *, everything: bool = False) -> Asked:
    """Return that `user` wants a pack now."""
    return Asked(user, timezone.now(), everything)
