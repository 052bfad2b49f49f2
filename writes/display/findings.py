"""What the page of a file shows of its findings: rule by rule, with what mends them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from files.field import Field
from files.findings import LONGEST_VALUE
from writes.display.finding_titles import RuleTitle, title_of


@dataclass
class RuleShown:
    """All findings of one rule and level; `groups` are those of `Report.as_json`.

    `columns` are those of the file that the rule speaks of, as the form shows them.
    """

    rule: str
    level: str
    said: RuleTitle
    groups: list[dict[str, Any]] = field(default_factory=list)
    columns: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many findings there are."""
        return sum(group["total"] for group in self.groups)

    @property
    def noun(self) -> str:
        """What was counted, as "cells"; "" where there is nothing to count."""
        if self.total == 1:
            return self.said.counts.removesuffix("s")
        return self.said.counts


def note_what_mends(
    groups: Sequence[dict[str, Any]], read_as: Mapping[str, str]
) -> None:
    """Note at each group of `Report.as_json` what a page may offer to do about it.

    `read_as` are the columns of the file by what they are sent as.
    """
    for group in groups:
        rows = [finding["row"] or 0 for finding in group["first"]]
        group["read_column"] = read_as.get(group["column"] or "", "")
        group["has_rows"] = any(row > 1 for row in rows)
        group["names_its_rows"] = names_its_rows(group)
        group["cells"] = _cells_to_edit(group)
        for finding in group["first"]:
            # An input of one line would lose these.
            finding["has_lines"] = not {"\n", "\r"}.isdisjoint(finding["value"] or "")


# The rules that judge a cell by what goes out of it: its value can be replaced.
_BY_VALUE = frozenset(
    (
        *("picklist", "boolean", "number", "number-range", "date", "date-time", "time"),
        *("email", "id", "altered-id", "scientific", "lost-characters", "too-long"),
        *("placeholder", "cell-error"),
    )
)
_BOOLEANS = ("true", "false")
# Beyond so many choices they are a list to type into.
MOST_OPTIONS = 60
_NEAR = 0.5


def note_values(
    groups: Sequence[dict[str, Any]], fields: Mapping[str, Field | None]
) -> None:
    """Note at each group its values at fault, where the page lets them be replaced.

    `fields` are those that columns of the file fill, by the name of the column. After
    `note_what_mends`.
    """
    for number, group in enumerate(groups):
        group["number"] = number
        field_ = fields.get(group["read_column"])
        choices = _choices(field_, group["rule"])
        values = group.get("values", []) if group["rule"] in _BY_VALUE else []
        # By its place alone a column cannot be given a recipe.
        is_named = not group["read_column"].startswith("#")
        is_short = choices or group.get("distinct", 0) <= len(values)
        repeats = any(count > 1 for _, count in values)
        if not group["cells"] or not (is_named and is_short and (choices or repeats)):
            values = []
        group["choices"] = choices if len(choices) <= MOST_OPTIONS else ()
        group["list"] = choices if len(choices) > MOST_OPTIONS else ()
        group["to_replace"] = [
            {"value": value, "count": count, "near": _nearest(value, choices)}
            for value, count in values
            # An input of one line would lose these.
            if {"\n", "\r"}.isdisjoint(value)
        ]


def _choices(field_: Field | None, rule: str) -> tuple[str, ...]:
    if rule == "boolean":
        return _BOOLEANS
    if field_ is None or rule != "picklist" or field_.type != "picklist":
        return ()
    return field_.values


def _nearest(value: str, choices: Sequence[str]) -> str:
    """Return the choice that a value is most like, "" where none is."""
    by_folded = {choice.casefold(): choice for choice in choices}
    near = get_close_matches(value.strip().casefold(), by_folded, 1, _NEAR)
    return by_folded[near[0]] if near else ""


def needs_other_file(report: Mapping[str, Any]) -> str:
    """Say what only another file mends, "" where there is no such thing."""
    said = (
        group["first"][0]["message"]
        for group in report["groups"]
        if title_of(group["rule"]).mend == "other-file"
    )
    return next(said, "")


def names_its_rows(group: Mapping[str, Any]) -> bool:
    """Whether each finding of a group names a row at fault, and all are known.

    Only then may its rows be left out: an example is no worse than other rows.
    """
    rows = [finding["row"] for finding in group["first"]]
    is_complete = group.get("listed") == group["total"]
    is_below_header = any(row and row > 1 for row in rows)
    return is_complete and is_below_header and title_of(group["rule"]).is_about_rows


def _cells_to_edit(group: Mapping[str, Any]) -> list[int]:
    """Return the rows of which a page lets the cell in the group's column be edited."""
    if not group["read_column"] or not title_of(group["rule"]).is_about_rows:
        return []
    return [
        finding["row"]
        for finding in group["first"]
        if finding["row"]
        and finding["row"] > 1
        and finding["value"] is not None
        and len(finding["value"]) < LONGEST_VALUE
    ]


def by_rule(
    groups: Sequence[dict[str, Any]],
    columns: Mapping[str, dict[str, Any]],
    action: str = "upsert",
) -> list[RuleShown]:
    """Return the groups rule by rule, in the order in which they come.

    `action` is what the rows are for. `columns` are the form's, by their name in the
    file: see `read_column` of a group.
    """
    found: dict[tuple[str, str], RuleShown] = {}
    for group in groups:
        name = (group["level"], group["rule"])
        if name not in found:
            found[name] = RuleShown(
                rule=group["rule"],
                level=group["level"],
                said=title_of(group["rule"], action),
            )
        shown = found[name]
        shown.groups.append(group)
        column = columns.get(group["read_column"])
        if column is not None and column not in shown.columns:
            shown.columns.append(column)
    return list(found.values())


def mark_columns(
    columns: Mapping[str, dict[str, Any]], groups: Sequence[dict[str, Any]]
) -> None:
    """Note at each column its worst level and how many findings of it there are."""
    for group in groups:
        column = columns.get(group["read_column"])
        if column is None or group["level"] == "notes":
            continue
        # What blocks comes first.
        column.setdefault("level", group["level"])
        if column["level"] == group["level"]:
            column["total"] = column.get("total", 0) + group["total"]
