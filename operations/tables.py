"""What programs are told of operations, their logs and the audit trail."""

from console.api.tables import Column, Kind, Table
from operations.models import Operation

OPERATION = Table(
    "Operation",
    "One request to Ampersand, or one run, with its result.",
    (
        Column("id", Kind.INTEGER, "Number of the operation"),
        Column("version", Kind.INTEGER, "Counts the changes: the highest is newest"),
        Column("environment", Kind.TEXT, "Environment", source="project__environment"),
        Column("project_id", Kind.INTEGER, "Project"),
        Column("project", Kind.TEXT, "Its name", source="project__name"),
        Column("integration_id", Kind.INTEGER, "Integration", optional=True),
        Column(
            "integration",
            Kind.TEXT,
            "Its name",
            source="integration__name",
            optional=True,
        ),
        Column(
            "write_id",
            Kind.INTEGER,
            "The write that it belongs to, null where others started it",
            source="batch__write_id",
            optional=True,
        ),
        Column(
            "kind",
            Kind.TEXT,
            "One request, or many of one write",
            words=tuple(Operation.Kind.values),
        ),
        Column(
            "action", Kind.TEXT, "What is done", words=tuple(Operation.Action.values)
        ),
        Column("object", Kind.TEXT, "Object by its API name", source="object_name"),
        Column("group", Kind.TEXT, "Customer by its groupRef", source="group_ref"),
        Column("user", Kind.TEXT, "Who started it", source="started_by_name"),
        Column("purpose", Kind.TEXT, "Reason or ticket that was given"),
        Column("part", Kind.TEXT, "Which part of a file, for example “part 2 of 15”"),
        Column(
            "state", Kind.TEXT, "Where it stands", words=tuple(Operation.State.values)
        ),
        Column("api_status", Kind.TEXT, "As Ampersand has it", source="remote_status"),
        Column("remote_id", Kind.TEXT, "Its id in Ampersand"),
        Column("request_id", Kind.TEXT, "Ampersand's id of the request"),
        Column("record_id", Kind.TEXT, "Id of the record, of a single one"),
        Column("rows_sent", Kind.INTEGER, "Rows, null where unknown", optional=True),
        Column("rows_succeeded", Kind.INTEGER, "Of them succeeded", optional=True),
        Column("rows_failed", Kind.INTEGER, "Of them failed", optional=True),
        Column("reason", Kind.TEXT, "Why it is in its state"),
        Column("remedy", Kind.TEXT, "What to do about it"),
        Column("resolution", Kind.TEXT, "What a person decided of an unknown outcome"),
        Column("created_at", Kind.MOMENT, "When it was stored"),
        Column("sent_at", Kind.MOMENT, "When it left", optional=True),
        Column("answered_at", Kind.MOMENT, "When the answer came", optional=True),
        Column("ended_at", Kind.MOMENT, "When it ended", optional=True),
        Column("resolved_at", Kind.MOMENT, "When a person decided", optional=True),
    ),
)

LOG_ENTRY = Table(
    "LogEntry",
    "One line of an operation's log, as Ampersand told it.",
    (
        Column("id", Kind.INTEGER, "Number of the entry"),
        Column("operation_id", Kind.INTEGER, "The operation"),
        Column("sequence", Kind.INTEGER, "Its place in the log: 1, 2, 3 …"),
        Column("timestamp", Kind.MOMENT, "Ampersand's time", optional=True),
        Column("severity", Kind.TEXT, "As Ampersand has it"),
        Column("text", Kind.TEXT, "What it says"),
        Column("error", Kind.TEXT, "The error that it tells"),
        Column("raw", Kind.JSON, "The entry as it came"),
    ),
)

AUDIT_EVENT = Table(
    "AuditEvent",
    "Who did what, when, on what and from where; sealed behind the event before it.",
    (
        Column("id", Kind.INTEGER, "Number of the event"),
        Column("at", Kind.MOMENT, "When"),
        Column("actor_id", Kind.INTEGER, "Number of the user", optional=True),
        Column("actor_name", Kind.TEXT, "Name of the user, or “system”"),
        Column("action", Kind.TEXT, "What was done, for example “write.confirmed”"),
        Column("subject", Kind.TEXT, "On what"),
        Column("subject_url", Kind.TEXT, "Its page"),
        Column("project_name", Kind.TEXT, "Project"),
        Column("environment", Kind.TEXT, "Environment, “” for the installation"),
        Column("address", Kind.TEXT, "Where from", optional=True),
        Column("correlation_id", Kind.TEXT, "Id of the request"),
        Column("detail", Kind.JSON, "More of it, by kind of action"),
        Column("key_id", Kind.TEXT, "Which key sealed it"),
        Column("previous_hash", Kind.TEXT, "Seal of the event before it"),
        Column("hash", Kind.TEXT, "Its seal"),
    ),
)
