"""From a draft to the request that it stands for."""

import json
import shlex

from ampersand import Request
from writes import calls
from writes.models import Write

_WITH_ROWS = shlex.quote(
    "import json, sys; "
    'rows = {"recordsCSV": sys.stdin.buffer.read().decode()}; '
    "print(json.dumps(json.loads(sys.argv[1]) | rows))"
)


def prepare(write: Write, *, csv: str | None = None, url: str | None = None) -> Request:
    """Return the request that `write` stands for, with a text or an address of rows.

    Raises `NoActiveKey`, `UnreadableSecret`, and `RequestInvalid` for what no request
    can carry.
    """
    client = write.project.client(only_prepares=True)
    target = write.target()
    if write.action == Write.Action.CREATE:
        return client.prepare_create_record(
            target, write.record_fields(), associations=write.associations()
        )
    if write.action == Write.Action.UPDATE:
        return client.prepare_update_record(
            target,
            write.record_fields(),
            record_id=write.record_id,
            associations=write.associations(),
        )
    if write.deletes_in_bulk:
        return client.prepare_delete_records(
            target, primary_key=write.primary_key, csv=csv, url=url
        )
    if write.action == Write.Action.DELETE:
        return client.prepare_delete_record(target, record_id=write.record_id)
    return client.prepare_upsert_records(
        target, primary_key=write.primary_key, csv=csv, url=url
    )


def prepare_shown(write: Write) -> Request:
    """Return the request as the review shows it: words stand in for a file."""
    if write.source != Write.Source.CSV:
        return prepare(write, url=write.url or None)
    if write.is_run:
        return calls.first_shown(write)
    words = csv_in_words(write)
    if write.delivery in (Write.Delivery.TEXT, Write.Delivery.PARTS):
        return prepare(write, csv=words)
    return prepare(write, url=words)


def prepare_exact(write: Write) -> Request:
    """Return the request exactly as it will be sent, if it goes in one piece.

    Raises `FileNotFoundError` if the file is gone.
    """
    if write.source != Write.Source.CSV:
        return prepare_shown(write)
    return prepare(write, csv=write.path_of("as_sent").read_bytes().decode())


def csv_in_words(write: Write) -> str:
    """Stand in for the text of the file, or for its address, where it is shown."""
    report = write.check_report
    file = f"{report['as_sent_size']:,} bytes, SHA-256 {report['as_sent_sha256']}"
    match write.delivery:
        case Write.Delivery.TEXT:
            return f"(the file as sent: {file})"
        case Write.Delivery.PARTS:
            count = len(report["parts"])
            return f"(one of {count:,} parts of the file as sent: {file})"
        case Write.Delivery.UPLOAD:
            return (
                f"(a reference created when it is sent, to the uploaded file: {file})"
            )
    return f"(a URL created when it is sent, for the file: {file})"


def as_curl(write: Write, shown: Request) -> str:
    """Return a bash command that sends the same request.

    The text of a CSV is too long for a command line: Python puts it in from the file.
    That of a part stands in its body.json; the whole file would be all rows once more.
    """
    if write.is_run:
        return shown.as_curl(body_file=True)
    if "recordsCSV" not in (shown.body or {}):
        return shown.as_curl()
    rest = {k: v for k, v in (shown.body or {}).items() if k != "recordsCSV"}
    program = f"{_WITH_ROWS} {shlex.quote(json.dumps(rest))}"
    source = f"python3 -c {program} < as-sent.csv |"
    if write.delivery == Write.Delivery.PARTS:
        source = "cat body.json |"
    lines = [
        source,
        f"curl --request {shown.method}",
        f"--url {shlex.quote(shown.url)}",
        '--header "X-Api-Key: $AMPERSAND_API_KEY"',
        *(f"--header {shlex.quote(f'{n}: {v}')}" for n, v in shown.headers().items()),
        "--data-binary @-",
    ]
    return " \\\n  ".join(lines).replace("| \\\n  curl", "|\n  curl")
