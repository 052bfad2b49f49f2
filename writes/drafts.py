"""From a form to a draft, and from a draft to the request that it stands for."""

import json
import shlex
import uuid
from typing import Any, cast

from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import FileField

from ampersand import Request
from writes.models import Write


class NotYourDraft(Exception):
    """The form with this token is no draft of this user, or no longer: see `write`."""

    def __init__(self, write: Write) -> None:
        super().__init__(f"Write {write.pk} cannot be changed.")
        self.write = write


def save_draft(*, token: uuid.UUID, user: User, **values: Any) -> Write:
    """Return the draft of the form with `token`, new or changed.

    The same form reviewed twice is one draft. Raises `NotYourDraft` if it was sent or
    discarded, and for a token of somebody else's form.
    """
    mine = {"started_by": user, "started_by_name": user.get_username()}
    try:
        with transaction.atomic():
            return Write.objects.create(token=token, **mine, **values)
    except IntegrityError:
        write = Write.objects.get(token=token)
    if write.started_by_id != user.pk or not write.change(
        only_from=Write.State.DRAFT, **values
    ):
        raise NotYourDraft(write)
    return write


def stored(data: bytes, kind: str) -> str:
    """Keep `data` as a file and return its name in the storage."""
    field = cast(FileField, Write._meta.get_field(kind))
    name = field.generate_filename(Write(), "upload.csv")
    return str(field.storage.save(name, ContentFile(data)))


def prepare(write: Write, *, csv: str | None = None) -> Request:
    """Return the request that `write` stands for; `csv` is the text of its file.

    Raises `NoActiveKey`, `UnreadableSecret`, and `RequestInvalid` for what no request
    can carry.
    """
    client = write.project.client(only_prepares=True)
    target = {
        "project": write.project.remote_id,
        "integration": write.integration.remote_id,
        "object_name": write.object_name,
        "group_ref": write.group_ref,
    }
    if write.action == Write.Action.CREATE:
        return client.prepare_create_record(**target, record=write.record_fields())
    if write.action == Write.Action.UPDATE:
        return client.prepare_update_record(
            **target, record=write.record_fields(), record_id=write.record_id
        )
    return client.prepare_upsert_records(
        **target,
        primary_key=write.primary_key,
        csv=csv,
        url=write.url if write.source == Write.Source.URL else None,
    )


def prepare_shown(write: Write) -> Request:
    """Return the request as the review shows it, with few words for a long CSV."""
    is_csv = write.source == Write.Source.CSV
    return prepare(write, csv=write.csv_in_words() if is_csv else None)


def prepare_exact(write: Write) -> Request:
    """Return the request exactly as it will be sent."""
    is_csv = write.source == Write.Source.CSV
    return prepare(write, csv=write.csv_text() if is_csv else None)


def as_curl(write: Write, shown: Request) -> str:
    """Return a bash command that sends the same request.

    The text of a CSV is too long for a command line: jq puts it in from the file.
    """
    if write.source != Write.Source.CSV:
        return shown.as_curl()
    rest = {k: v for k, v in (shown.body or {}).items() if k != "recordsCSV"}
    program = f". as $csv | {json.dumps(rest)} + {{recordsCSV: $csv}}"
    lines = [
        f"jq -Rs {shlex.quote(program)} as-sent.csv |",
        f"curl --request {shown.method}",
        f"--url {shlex.quote(shown.url)}",
        '--header "X-Api-Key: $AMPERSAND_API_KEY"',
        *(f"--header {shlex.quote(f'{n}: {v}')}" for n, v in shown.headers().items()),
        "--data-binary @-",
    ]
    return " \\\n  ".join(lines).replace("| \\\n  curl", "|\n  curl")
