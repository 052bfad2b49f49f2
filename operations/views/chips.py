"""The filters that are on, in words, each with the address that is without it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.choices import flatten_choices
from django.utils.http import urlencode

from console.ui.periods import Preset
from operations.filters import OperationFilter


@dataclass(frozen=True)
class Chip:
    """One filter: its name, its value in words, and the query without it."""

    name: str
    label: str
    value: str
    without: str


def chips_of(chosen: OperationFilter) -> list[Chip]:
    """Return the filters that are on, of a valid filter, in the order of its fields."""
    on = chosen.narrowing
    found = []
    for name, given in on.items():
        several = isinstance(given, list)
        for value in given if several else [given]:
            rest = [v for v in given if v != value] if several else []
            left = {**on, name: rest}
            words = _in_words(chosen, name, value)
            label = str(chosen[name].label)
            found.append(Chip(name, label, words, urlencode(left, doseq=True)))
    return found


def _in_words(chosen: OperationFilter, name: str, value: str) -> str:
    field = chosen.fields[name]
    cleaned: Any = chosen.cleaned_data[name]
    if isinstance(field, forms.BooleanField):
        return ""
    if name == "period":
        return _period(Preset(cleaned))
    if isinstance(field, forms.ModelChoiceField):
        return str(cleaned)
    if isinstance(field, forms.ChoiceField):
        return str(dict(flatten_choices(field.choices)).get(value, value))  # type: ignore[arg-type]
    if name == "error":
        return chosen.error_in_words()
    if name == "group":
        return chosen.customer_in_words()
    if name in ("from", "to"):
        return _moment(value)
    return f"{cleaned:,}" if isinstance(cleaned, int) and name != "write" else value


def _period(preset: Preset) -> str:
    """Return a period by its name, and which month it is today."""
    months = (Preset.MONTH, Preset.LAST_MONTH)
    if preset not in months:
        return str(preset.label)
    first, _ = preset.bounds(timezone.now())
    return f"{preset.label} ({first:%b %Y})"


def _moment(value: str) -> str:
    """Return a day or a minute as the address has it, as pages write it."""
    day, _, clock = value.partition("T")
    parsed = date.fromisoformat(day)
    return f"{parsed:%-d %b %Y} {clock}".strip()
