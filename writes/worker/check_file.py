"""From an uploaded file to the exact file that would be sent, and all that is wrong.

    original ─▶ as read ─▶ as sent + held back ─▶ findings, parts

The file is worked on while nothing is locked; what came out is kept with one
conditional UPDATE, if the draft still is the one that it was begun for.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from ampersand import LARGEST_CSV
from files.checking.check import check
from files.checking.deletion import check_deletion
from files.checking.purposes import Purpose
from files.field import Field
from files.findings import ROW, Finding, IsThere, Report
from files.findings_by_value import FindingsByValue
from files.findings_file import FindingsFile
from files.mending.mapping import suggest
from files.mending.mend import Mended, mend
from files.mending.recipes import ColumnRecipe, Recipe, column_names
from files.mending.still_there import still_there
from files.mending.suggested import Fix, suggest_fixes
from files.reading import delimiters
from files.reading.inspection import Reading, inspect
from files.reading.read import Read, read
from files.reading.rows_of_lines import rows_of_lines
from files.splitting import RecordTooBig, part_digest, split
from writes import delivery
from writes.columns import fields_of, header_of, knows_all_fields
from writes.display.finding_titles import is_about_cells, is_about_rows, title_of
from writes.models import SavedMapping, Write
from writes.recipe import recipe_as_json, sent_names
from writes.storage import NUL, NewFiles, delete, measure, storable
from writes.worker import index_rows
from writes.worker.check_run import Run, check_run
from writes.worker.fetch_file import fetch_file, is_to_be_fetched
from writes.worker.progress import Progress, Stopped

# The files of a write that a check makes anew.
MADE = ("as_read", "as_sent", "held_back", "findings", "row_index")


class Refused(Exception):
    """The file cannot be read as it was agreed: its text says why, and what to do."""


def check_file(write: Write, progress: Progress) -> None:
    """Work out what would be sent of the file of a draft, and keep it.

    Raises `FileNotFoundError` if the upload is gone, `Refused`, and `Stopped` if the
    draft was changed meanwhile.
    """
    if is_to_be_fetched(write):
        fetch_file(write, progress)
    new_files = NewFiles()
    try:
        values = storable(_work_out(write, new_files, progress))
    except BaseException:
        new_files.discard()
        raise
    before = {getattr(write, kind).name for kind in MADE}
    mine = Write.objects.filter(
        pk=write.pk, state=Write.State.DRAFT, edition=write.edition
    )
    kept = {values.get(kind, "") for kind in Write.FILES}
    if not mine.update(**values):
        new_files.discard()
        raise Stopped
    new_files.discard(keep=kept)
    for name in before - kept - {write.original.name}:
        delete(name)


def _work_out(write: Write, new_files: NewFiles, progress: Progress) -> dict[str, Any]:
    original = write.path_of("original")
    size = original.stat().st_size
    inspection = write.inspected
    if inspection is None:
        progress.step("Reading the file", size)
        inspection = inspect(original, progress=progress)
    values: dict[str, Any] = {
        "inspection": inspection.as_json(),
        "is_ready": False,
        "check_report": {},
        "row_count": None,
        "lanes_packed": None,
        "looked_up_at": None,
        **dict.fromkeys(MADE, ""),
    }
    if inspection.refusal or (inspection.doubts and not write.reading):
        return values
    reading = (
        Reading.from_json(write.reading) if write.reading else inspection.suggested
    )
    progress.step("Reading", size)
    as_read = new_files.path("as-read")
    told = read(
        original,
        as_read,
        inspection,
        reading,
        progress=progress,
        recipe=write.recipe,
    )
    if told.is_refused:
        raise Refused(told.findings[0].message)
    if told.is_same:
        as_read = original
    _find_rows(told, as_read, still_there(write.recipe))
    separator = delimiters.NAMES[reading.delimiter]
    work = _Work(write, new_files, progress, as_read, told, separator)
    values |= work.finish()
    values["as_read"] = (
        write.original.name if told.is_same else new_files.name_of(as_read)
    )
    return values


def _find_rows(told: Read, as_read: Path, is_there: IsThere) -> None:
    """Give the faults that were told by their line the row that it is in."""
    lines = {f.line for f in told.findings if f.line is not None and f.row is None}
    rows = rows_of_lines(as_read, lines) if lines else {}
    placed = [
        finding._replace(row=rows.get(finding.line or 0))
        if finding.row is None
        else finding
        for finding in told.findings
    ]
    told.findings = [finding for finding in placed if is_there(finding)]
    told.totals -= Counter(f.rule for f in placed if not is_there(f))


@dataclass
class _Work:
    """What is done with a file once it can be read."""

    write: Write
    new_files: NewFiles
    progress: Progress
    as_read: Path
    told: Read
    separator: str
    fields: Sequence[Field] = field(init=False)

    def __post_init__(self) -> None:
        self.fields = fields_of(self.write)

    def finish(self) -> dict[str, Any]:
        recipe = self._recipe()
        mended, as_sent, held_back = self._mend(recipe)
        findings = self.new_files.path("findings")
        report = Report(
            origin=None if mended.is_same else mended.origin, separator=self.separator
        )
        by_value = FindingsByValue(is_about_cells, is_about_rows)
        with FindingsFile(findings) as file:

            def sink(finding: Finding) -> None:
                file.add(finding)
                by_value.add(finding)

            report.sink = sink
            self._add(report, self._told_findings(recipe))
            report.told = frozenset(self.told.totals)
            self._add(report, mended.findings)
            _count_rest(report, self.told.totals + mended.totals)
            report.explain = mended.explain
            self._check(as_sent, recipe, report)
            if self.write.deletes_in_bulk:
                check_deletion(as_sent, self.write.primary_key, report)
            run = self._run(as_sent, report)
            as_sent = run.as_sent
            parts = [] if self.write.is_run else self._parts(as_sent, report)
        told = report.as_json()
        by_value.note(told["groups"])
        fixes = self._fixes(recipe, report)
        size, sha256 = measure(as_sent)
        kept_back = measure(held_back) if mended.rows_held_back else (0, "")
        changes = [*self.told.changes, *mended.changes, *run.changes]
        return {
            "recipe_json": recipe_as_json(recipe),
            "as_sent": self._name(as_sent),
            "held_back": self._name(held_back) if mended.rows_held_back else "",
            "findings": self._name(findings),
            "row_index": self._name(self._index(findings)),
            "primary_key": report.key or self.write.primary_key,
            "row_count": None if report.is_partial else report.rows,
            "is_ready": not report.blocks,
            "delivery": self._delivery(size),
            "typing_json": run.kinds,
            "looked_up_at": run.since,
            "lanes_packed": run.lanes.packed() if run.lanes else None,
            "check_report": told
            | {
                "fixes": [fix.as_json() for fix in fixes],
                "error_rows": _rows_to_exclude(report, by_value.error_rows),
                "as_sent_size": size,
                "as_sent_sha256": sha256,
                "held_back_rows": mended.rows_held_back,
                "held_back_size": kept_back[0],
                "held_back_sha256": kept_back[1],
                "changes": [asdict(change) for change in changes],
                "parts": parts,
                "has_fields": bool(self.fields),
                "run": run.told,
            },
        }

    def _index(self, findings: Path) -> Path:
        self.progress.step("Indexing", self.as_read.stat().st_size)
        target = self.new_files.path("row-index", "sqlite3")
        index_rows.make_index(
            self.write, target, self.as_read, findings, progress=self.progress
        )
        return target

    def _name(self, path: Path) -> str:
        original = self.write.path_of("original")
        if path == original:
            return str(self.write.original.name)
        return self.new_files.name_of(path)

    def _recipe(self) -> Recipe:
        """Return the draft's recipe; a new file's is what earlier ones tell."""
        if self.write.recipe_json:
            return self.write.recipe
        header = header_of(self.as_read)
        known = column_names(header)
        saved = SavedMapping.objects.filter(
            integration=self.write.integration, object_name=self.write.object_name
        ).first()
        names = {
            column: name
            for column, name in (saved.columns if saved else {}).items()
            if column in known and column != name
        }
        taken = {name.casefold() for name in names.values()}
        for column, name in suggest(header, self.fields).items():
            if column in names or NUL in column:
                continue
            if name.casefold() not in taken:
                names[column] = name
        columns = {column: ColumnRecipe(name=name) for column, name in names.items()}
        return Recipe(columns=columns)

    def _mend(self, recipe: Recipe) -> tuple[Mended, Path, Path]:
        self.progress.step("Changing", self.as_read.stat().st_size)
        as_sent = self.new_files.path("as-sent")
        held_back = self.new_files.path("held-back")
        mended = mend(
            self.as_read,
            as_sent,
            recipe,
            held_back=held_back,
            progress=self.progress,
        )
        return mended, self.as_read if mended.is_same else as_sent, held_back

    def _add(self, report: Report, findings: Sequence[Finding]) -> None:
        """Add what reading found: its rows are those of the original already."""
        origin, report.origin = report.origin, None
        for finding in findings:
            values = finding._asdict()
            report.add(
                values.pop("level"), values.pop("rule"), values.pop("message"), **values
            )
        report.origin = origin

    def _told_findings(self, recipe: Recipe) -> list[Finding]:
        """Return what reading found, of columns by what they are sent as."""
        sent_as = self._sent_as(recipe)
        return [
            finding._replace(column=sent_as.get(finding.column, finding.column))
            if finding.column
            else finding
            for finding in self.told.findings
        ]

    def _sent_as(self, recipe: Recipe) -> dict[str, str]:
        """Return what each column of the file as read is sent as."""
        names = column_names(header_of(self.as_read))
        return dict(zip(names, sent_names(recipe, names), strict=True))

    def _check(self, as_sent: Path, recipe: Recipe, report: Report) -> None:
        self.progress.step("Checking", as_sent.stat().st_size)
        key = self._key(recipe, as_sent)
        key_names = [n for n, sent in self._sent_as(recipe).items() if sent == key]
        check(
            as_sent,
            key=key or None,
            fields=self.fields,
            key_names=key_names if key else (),
            purpose=cast(Purpose, self.write.action),
            report=report,
            progress=self.progress,
        )

    def _fixes(self, recipe: Recipe, report: Report) -> list[Fix]:
        """Return what the file itself proves how to fix it."""
        if not report.groups or self._is_beyond_fixing(report):
            return []
        self.progress.step("Looking for fixes", self.as_read.stat().st_size)
        return suggest_fixes(
            self.as_read,
            header_of(self.as_read),
            recipe,
            report,
            fields=self.fields,
            knows_all=knows_all_fields(self.write),
            purpose=cast(Purpose, self.write.action),
            progress=self.progress,
        )

    def _is_beyond_fixing(self, report: Report) -> bool:
        return any(
            title_of(group.rule).mend == "other-file"
            for group in report.groups.values()
        )

    def _key(self, recipe: Recipe, as_sent: Path) -> str:
        """Return the primary key as it is sent; it may be typed as in the file.

        A name as sent comes first, so that every check finds the same column.
        """
        key = self.write.primary_key
        column = recipe.columns.get(key)
        sent = [name.casefold() for name in header_of(as_sent)]
        if column is None or not column.name or key.casefold() in sent:
            return key
        return column.name

    def _parts(self, as_sent: Path, report: Report) -> list[dict[str, Any]]:
        """Return where the parts of a file would be cut; nothing where it is faulty."""
        if report.blocks:
            return []
        limit = LARGEST_CSV
        if as_sent.stat().st_size > LARGEST_CSV:
            limit = max(limit, self.write.project.capabilities.largest_upload)
        try:
            parts = split(as_sent, limit=limit)
        except RecordTooBig as error:
            message = (
                f"Row {ROW} alone is {error.size:,} bytes with the header; a part "
                f"can hold {limit:,} bytes ({limit // 2**20} MiB). Send it from a URL."
            )
            report.add("warns", "too-big", message, row=error.row)
            return []
        return [asdict(part) | {"sha256": part_digest(as_sent, part)} for part in parts]

    def _run(self, as_sent: Path, report: Report) -> Run:
        """Return how a file becomes requests of records, where it does."""
        if report.blocks or not self.write.is_run:
            return Run(as_sent=as_sent)
        self.progress.step("Cutting", as_sent.stat().st_size)
        return check_run(
            self.write, as_sent, self.fields, report, self.new_files, self.progress
        )

    def _delivery(self, size: int) -> str:
        if size <= LARGEST_CSV:
            return Write.Delivery.TEXT
        ways = delivery.deliveries(self.write, size)
        return self.write.delivery if self.write.delivery in ways else ways[0]


def _rows_to_exclude(report: Report, rows: int) -> int:
    """Return how many rows have errors, 0 where not all are known or none is left."""
    are_known = all(
        group.listed == group.total
        for group in report.groups.values()
        if group.level == "blocks" and is_about_rows(group.rule)
    )
    return rows if are_known and not report.is_partial and rows < report.rows else 0


def _count_rest(report: Report, totals: Counter[str]) -> None:
    """Count what reading and mending found beyond the findings that they kept."""
    for rule, total in totals.items():
        groups = [group for group in report.ordered() if group.rule == rule]
        missing = total - sum(group.total for group in groups)
        if groups and missing > 0:
            # What is not known blocks, if any of it does.
            groups[0].total += missing
