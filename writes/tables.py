"""What programs are told of writes, and of the rows of their files."""

from typing import Any

from console.api.tables import Column, Kind, Table
from files.rows.fates import STATES
from files.rows.row_store import RowOutcome
from writes.models import Write

WRITE = Table(
    "Write",
    "What an operator asked for: one record, a CSV file or a URL.",
    (
        Column("id", Kind.INTEGER, "Number of the write"),
        Column("state", Kind.TEXT, "Where it stands", words=tuple(Write.State.values)),
        Column("source", Kind.TEXT, "Its kind", words=tuple(Write.Source.values)),
        Column("action", Kind.TEXT, "What is done", words=tuple(Write.Action.values)),
        Column(
            "environment",
            Kind.TEXT,
            "Environment",
            source="integration__project__environment",
        ),
        Column("project_id", Kind.INTEGER, "Project", source="integration__project_id"),
        Column("project", Kind.TEXT, "Its name", source="integration__project__name"),
        Column("integration_id", Kind.INTEGER, "Integration"),
        Column("integration", Kind.TEXT, "Its name", source="integration__name"),
        Column("object", Kind.TEXT, "Object by its API name", source="object_name"),
        Column("group", Kind.TEXT, "Customer by its groupRef", source="group_ref"),
        Column("group_name", Kind.TEXT, "Name of the customer"),
        Column("user", Kind.TEXT, "Who started it", source="started_by_name"),
        Column("reason", Kind.TEXT, "Reason or ticket that was given"),
        Column("parent_id", Kind.INTEGER, "The write that it came from", optional=True),
        Column("relation", Kind.TEXT, "What it is to that one"),
        Column("record_id", Kind.TEXT, "Id of the record, of a single one"),
        Column("primary_key", Kind.TEXT, "Column of the key"),
        Column("file_name", Kind.TEXT, "Name of the file as uploaded"),
        Column(
            "as_sent_sha256",
            Kind.TEXT,
            "SHA-256 of the file as sent",
            source="check_report__as_sent_sha256",
            optional=True,
        ),
        Column("row_count", Kind.INTEGER, "Rows of the file", optional=True),
        *(
            Column(
                f"rows_{word}",
                Kind.INTEGER,
                f"Rows: {word.replace('_', ' ')}; null until they were matched",
                source=f"rows_report__{word}",
                optional=True,
            )
            for word in ("succeeded", "failed", "unknown", "not_sent")
        ),
        Column("created_at", Kind.MOMENT, "When it was begun"),
        Column("confirmed_at", Kind.MOMENT, "When it was confirmed", optional=True),
        Column(
            "files_deleted_at",
            Kind.MOMENT,
            "When its files went",
            optional=True,
        ),
    ),
)

ROW = Table(
    "Row",
    "How one row of a file fared.",
    (
        Column("write_id", Kind.INTEGER, "The write"),
        Column("row", Kind.INTEGER, "Its number in the file; the header is row 1"),
        Column("key", Kind.TEXT, "Value of its primary key"),
        Column("outcome", Kind.TEXT, "How it fared", words=tuple(STATES)),
        Column("error", Kind.TEXT, "The first error, or why nothing is known"),
        Column("other_errors", Kind.JSON, "Its other errors, a list of texts"),
        Column("action", Kind.TEXT, "“create”, “update” or “”, where not told"),
        Column("record_id", Kind.TEXT, "Id of the record, “” where not told"),
    ),
)


def row_values(write: Write, outcome: RowOutcome) -> tuple[Any, ...]:
    """Return the values of ROW for one row of a write."""
    return (
        write.pk,
        outcome.row,
        outcome.key,
        outcome.state,
        outcome.error,
        list(outcome.other_errors),
        outcome.kind,
        outcome.record,
    )
