"""The fields that the form of one record offers, and the rows it shows for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field

from ampersand import FieldSetting
from console.connections.object_metadata import fields_for
from console.models import Group, WriteObject
from console.validators import LARGEST_ID, whole_number
from files.field import Field
from files.fields.matching import FieldIndex
from writes.forms.record import RecordForm
from writes.forms.record_check import kind_of, may_be_set
from writes.forms.record_fields import FieldRow
from writes.models import Write

FIRST_ROWS = 4
# A list to choose from is no help beyond so many.
MOST_CHOICES = 500


@dataclass(frozen=True)
class Offer:
    """The fields of the object and group that are chosen; none where none are known."""

    action: str
    fields: tuple[Field, ...] = ()
    settings: dict[str, FieldSetting] = dataclass_field(default_factory=dict)

    @property
    def offered(self) -> list[Field]:
        """Return the fields that this action may set, required ones first."""
        able = [
            each
            for each in self.fields
            if may_be_set(each, self.action) and each.type != "id"
        ]
        return sorted(able, key=lambda each: (not each.is_required, each.name.lower()))

    def fill(self, rows: Sequence[FieldRow]) -> None:
        """Tell each row the field that it names, and what it may be chosen from."""
        index = FieldIndex(self.fields)
        for row in rows:
            name = row.name.strip()
            field = index.find(name).field if name and self.fields else None
            row.known, row.kind = field, kind_of(field)
            row.choices = _choices(field, row.value)
            row.settings = _words(self.settings.get(name.casefold()), self.action)
            if row.type == "auto" and not self.fields:
                row.type = "text"
            elif self.fields and not (name or row.value) and row.type == "text":
                row.type = "auto"

    def rows(self, typed: Sequence[FieldRow]) -> list[FieldRow]:
        """Return what was typed, and then a row for each field that a create needs."""
        kept = [row for row in typed if not row.is_blank]
        named = {row.name.strip().casefold() for row in kept}
        missing = [
            FieldRow(name=each.name, type="auto")
            for each in self.offered
            if each.is_required and self.action == Write.Action.CREATE
            if each.name.casefold() not in named
        ]
        return self.padded([*kept, *missing])

    def padded(self, rows: list[FieldRow]) -> list[FieldRow]:
        """Return rows with blank ones, so that there are `FIRST_ROWS`."""
        kind = "auto" if self.fields else "text"
        missing = max(0, FIRST_ROWS - len(rows))
        return [*rows, *(FieldRow(type=kind) for _ in range(missing))]


def _choices(field: Field | None, value: str) -> list[str]:
    """Return the values to choose from, the one that is there among them."""
    if field is None:
        return []
    values = ["true", "false"] if field.type == "boolean" else list(field.values)
    if field.type == "multipicklist" or not 0 < len(values) <= MOST_CHOICES:
        return []
    # What was typed before stays, for the check to say what is wrong with it.
    return values if value in ("", *values) else [value, *values]


def _words(setting: FieldSetting | None, action: str) -> list[str]:
    """Return what an installation does with a field, as far as the action goes."""
    if setting is None:
        return []
    is_update = action == Write.Action.UPDATE
    when = setting.update if is_update else setting.create
    words = []
    if when == "never":
        words.append(f"not written {'on an update' if is_update else 'on a create'}")
    elif when == "ifEmpty":
        words.append("written only if it is empty")
    if setting.default and when != "never":
        words.append(f"default “{setting.default}”")
    return words


def offer_of(form: RecordForm) -> Offer:
    """Return what to offer for the choices of a form, made or about to be made."""
    action = str(_given(form, "action") or Write.Action.CREATE)
    row, group = _chosen(form, "object"), _chosen(form, "group")
    if not isinstance(row, WriteObject):
        return Offer(action)
    mine = group if isinstance(group, Group) else None
    settings = mine.settings_of(row.name) if mine else {}
    return Offer(action, fields_for(row, mine), settings)


def _given(form: RecordForm, name: str) -> object:
    return form.data.get(name) if form.is_bound else form.initial.get(name)


def _chosen(form: RecordForm, name: str) -> WriteObject | Group | None:
    """Return the row that is chosen, among those that the form offers; else None."""
    given = _given(form, name)
    if isinstance(given, WriteObject | Group):
        return given
    pk = whole_number(str(given or ""), most=LARGEST_ID) or 0
    rows = form.fields[name].queryset  # type: ignore[attr-defined]
    found: WriteObject | Group | None = rows.filter(pk=pk).first()
    return found
