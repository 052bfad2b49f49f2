"""The form for one record: typed as rows or as JSON, then reviewed."""

import hashlib
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from ampersand import CATEGORIES
from console.access.roles import require_operator
from console.actor import Actor
from console.http import ConsoleRequest
from console.sign_in import kept_form
from operations.models import Operation
from writes.actions.save_draft import NotYourDraft, save_draft
from writes.forms import associations, record_fields
from writes.forms.associations import AssociationRow
from writes.forms.record import RecordForm
from writes.forms.record_check import Remark, remarks
from writes.forms.record_fields import FieldRow, InvalidRecord, NotFlat
from writes.forms.record_offer import Offer, offer_of
from writes.forms.salesforce_options import initial_options
from writes.models import Write
from writes.views.drafting import (
    back_is_asked,
    earlier_write,
    first_values,
    go_to,
    go_to_taken,
    is_over,
    parent_of,
    write_to_update,
)

_NO_VALUES = (
    "The values of that write were deleted when their retention period ended. Only "
    "where it went is filled in."
)


@require_http_methods(["GET", "HEAD", "POST"])
@require_operator
@back_is_asked
def record(request: ConsoleRequest) -> HttpResponse:
    """Show the form; a button named `do` changes its rows, Review makes a draft."""
    kept = kept_form.take(request)
    earlier = earlier_write(request, Write.Source.RECORD, kept)
    if earlier and is_over(request, earlier):
        return go_to_taken(request, NotYourDraft(earlier))
    if kept is not None:
        form = RecordForm(initial=kept.dict(), user=request.user)
        return _page(request, form, typed=_Typed(kept))
    if earlier and not earlier.has_content:
        messages.warning(request, _NO_VALUES)
    if request.method != "POST" and (known := write_to_update(request)):
        return _update_page(request, *known)
    if request.method != "POST":
        initial = first_values(request, earlier, "action", "record_id", last="record")
        initial |= initial_options(earlier.headers_json if earlier else {})
        form = RecordForm(initial=initial, user=request.user)
        return _page(request, form, _rows_of(earlier))
    typed = _Typed(request.POST)
    do = request.POST.get("do", "review")
    if do != "review":
        form = RecordForm(initial=request.POST.dict(), user=request.user)
        typed.change(do, offer_of(form))
        return _page(request, form, typed=typed)
    form = RecordForm(request.POST, user=request.user)
    offer = offer_of(form)
    offer.fill(typed.rows)
    # A delete names its record, and nothing else.
    is_delete = request.POST.get("action") == Write.Action.DELETE
    fields = {} if is_delete else typed.record()
    said = form.cleaned_data if form.is_valid() else {}
    links = typed.links(said, is_delete=is_delete)
    if not said or fields is None or links is None or not typed.is_fine(fields, offer):
        return _page(request, form, typed=typed, status=422)
    try:
        write = save_draft(
            token=form.cleaned_data["token"],
            actor=Actor.of(request),
            source=Write.Source.RECORD,
            action=form.cleaned_data["action"],
            record_id=form.cleaned_data["record_id"],
            record=record_fields.json_from_record(fields),
            headers_json=form.headers(),
            associations_json=links,
            row_count=1,
            **parent_of(earlier),
            **form.target(),
        )
    except NotYourDraft as error:
        return go_to_taken(request, error)
    for row in () if is_delete else typed.rows:
        if row.is_cut and row.name.strip():
            messages.info(
                request,
                f"The line break after the value of “{row.name.strip()}” was removed.",
            )
    return go_to(request, write, draft=write)


class _Typed:
    """The record as typed: rows, or JSON text when that view was open."""

    def __init__(self, post: QueryDict) -> None:
        self.as_json = post.get("view") == "json"
        self.text = post.get("json", "")
        self.error = ""
        self.rows = [] if self.as_json else record_fields.read_rows(post)
        self.associations = associations.read_rows(post)
        # What is to be said that no row is there for; and that it was seen before.
        self.remarks: list[Remark] = []
        self.anyway = ""
        self._seen = post.get("anyway", "")
        # What a button changed gets the focus: a row by its place, or the JSON.
        self.focus_row: int | None = None
        self.focus_json = False

    def record(self) -> dict[str, Any] | None:
        """Return the record, or None with the errors set where they belong."""
        if self.as_json:
            try:
                fields = record_fields.record_from_json(self.text)
            except InvalidRecord as error:
                self.error = str(error)
                return None
        else:
            fields = record_fields.record_from_rows(self.rows)
            if any(row.error for row in self.rows):
                self.error = "Check the marked rows."
                return None
        if not fields:
            self.error = "A record needs at least one field."
            return None
        return fields

    def links(
        self, said: dict[str, Any], *, is_delete: bool
    ) -> list[dict[str, Any]] | None:
        """Return the associations, or None with the errors set where they belong.

        `said` is what the form holds where it is valid. A delete has none.
        """
        if is_delete:
            return []
        project, integration = said.get("project"), said.get("integration")
        return associations.as_kept(self.associations, project, integration)

    @property
    def association_rows(self) -> list[AssociationRow]:
        """The associations, and two rows to type more."""
        return [*self.associations, AssociationRow(), AssociationRow()]

    def is_fine(self, fields: dict[str, Any], offer: Offer) -> bool:
        """Tell whether nothing is to be said of the record, or it was said before.

        What blocks must be mended. Of what only warns a person may say: send it anyway.
        That is said of these very words, and of no others.
        """
        if offer.action == Write.Action.DELETE:
            return True
        found = remarks(fields, offer.fields, offer.action)
        if not found:
            return True
        said = "\n".join(f"{each.name}: {each.message}" for each in found)
        blocks = any(each.level == "blocks" for each in found)
        self.anyway = "" if blocks else hashlib.sha256(said.encode()).hexdigest()
        if self.anyway and self.anyway == self._seen:
            return True
        self._show(found)
        return False

    def _show(self, found: list[Remark]) -> None:
        rows = {row.name.strip().casefold(): row for row in self.rows}
        for each in found:
            row = rows.get(each.name.casefold())
            if row is None:
                self.remarks.append(each)
            elif each.level == "blocks":
                row.error = each.message
            else:
                row.warnings.append(each.message)
        self.error = "Check the notes on its fields."

    def change(self, do: str, offer: Offer) -> None:
        """Add or remove a row, or show the same record in the other view."""
        verb, _, number = do.partition(":")
        if verb == "fields" and not self.as_json:
            self.rows = offer.rows(self.rows)
        if verb == "add":
            self._add_row(offer)
        elif verb == "remove":
            self._remove_row(number)
        elif verb == "json":
            self._show_json()
        elif verb == "rows":
            self._show_rows()

    def _add_row(self, offer: Offer) -> None:
        if len(self.rows) >= record_fields.MOST_ROWS:
            self.error = (
                f"There are {len(self.rows)} rows: show them as JSON to add more."
            )
            return
        self.focus_row = len(self.rows)
        self.rows.append(FieldRow(type="auto" if offer.fields else "text"))

    def _remove_row(self, number: str) -> None:
        kept = [r for i, r in enumerate(self.rows) if str(i) != number]
        if len(kept) < len(self.rows):
            self.focus_row = min(int(number), max(0, len(kept) - 1))
        self.rows = kept

    def _show_json(self) -> None:
        fields = record_fields.record_from_rows(self.rows)
        if any(row.error for row in self.rows):
            self.error = "Fix the marked rows first; JSON cannot show them."
            return
        self.as_json, self.text = True, record_fields.json_from_record(fields)
        self.focus_json = True

    def _show_rows(self) -> None:
        try:
            fields = record_fields.record_from_json(self.text or "{}")
            self.rows = record_fields.rows_from_record(fields)
        except (InvalidRecord, NotFlat) as error:
            self.error = str(error)
            return
        self.as_json = False
        self.focus_row = 0


def _rows_of(earlier: Write | None) -> _Typed:
    typed = _Typed(QueryDict())
    if earlier is not None:
        typed.associations = associations.rows_of(earlier.associations_json)
        typed.as_json, typed.text = True, earlier.record
        typed._show_rows()
        typed.error, typed.focus_row = "", None
    return typed


def _update_page(request: ConsoleRequest, write: Write, record_id: str) -> HttpResponse:
    """Show the form for an update of a record that `write` made or met.

    What was refused is filled in; what was written is there already.
    """
    is_new = write.batches.filter(operation__state=Operation.State.SUCCEEDED).exists()
    initial = first_values(request, write) | {
        "again": None,
        "action": Write.Action.UPDATE,
        "record_id": record_id,
    }
    form = RecordForm(initial=initial, user=request.user)
    return _page(request, form, _rows_of(None if is_new else write))


def _page(
    request: ConsoleRequest, form: RecordForm, typed: _Typed, status: int = 200
) -> HttpResponse:
    offer = offer_of(form)
    if not typed.as_json and not typed.rows:
        typed.rows = offer.rows(typed.rows)
    offer.fill(typed.rows)
    context = {
        "form": form,
        "typed": typed,
        "offer": offer,
        "categories": CATEGORIES,
        "types": [
            choice
            for choice in record_fields.TYPES.items()
            if choice[0] != "auto" or offer.fields
        ],
    }
    return render(request, "writes/record.html", context, status=status)
