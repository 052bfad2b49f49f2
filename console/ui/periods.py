"""Periods that lists are narrowed to: usual ones by name, others by two moments.

All of it in the console's time zone, as pages show times.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

FIRST_YEAR, LAST_YEAR = 2000, 2199
_DAY = timedelta(days=1)


class Preset(models.TextChoices):
    """A period that is told by its name, and goes on by itself."""

    TODAY = "today", "Today"
    YESTERDAY = "yesterday", "Yesterday"
    HOURS_24 = "24h", "Last 24 hours"
    DAYS_7 = "7d", "Last 7 days"
    DAYS_30 = "30d", "Last 30 days"
    MONTH = "month", "This month"
    LAST_MONTH = "last_month", "Last month"

    def days(self, today: date) -> tuple[date, date] | None:
        """Return its first and last day; None of hours, which are no whole days."""
        month = today.replace(day=1)
        match self:
            case Preset.TODAY:
                return today, today
            case Preset.YESTERDAY:
                return today - _DAY, today - _DAY
            case Preset.DAYS_7:
                return today - 6 * _DAY, today
            case Preset.DAYS_30:
                return today - 29 * _DAY, today
            case Preset.MONTH:
                return month, today
            case Preset.LAST_MONTH:
                return (month - _DAY).replace(day=1), month - _DAY
        return None

    def bounds(self, now: datetime) -> tuple[datetime, datetime | None]:
        """Return when it begins, and when it is over: None where now is the end."""
        days = self.days(timezone.localdate(now))
        if days is None:
            return now - _DAY, None
        first, last = days
        return midnight(first), midnight(last + _DAY)


# Of reports, which are of whole days.
OF_DAYS = [preset for preset in Preset if preset != Preset.HOURS_24]
# As addresses had them before lists and report called them the same.
_OLD = {
    "7-days": Preset.DAYS_7,
    "30-days": Preset.DAYS_30,
    "last-month": Preset.LAST_MONTH,
    "7": Preset.DAYS_7,
    "30": Preset.DAYS_30,
}


class PeriodField(forms.ChoiceField):
    """A `Preset` by its name, "" for any time; names of old addresses are taken.

    Where the choices open, they say whose days these are.
    """

    def __init__(self, presets: Iterable[Preset] = Preset, **values: Any) -> None:
        named = [(preset.value, preset.label) for preset in presets]
        super().__init__(
            label="Period",
            required=False,
            choices=lambda: [("", "Any time"), (zone_in_words(), named)],
            **values,
        )

    def to_python(self, value: Any) -> str:
        """Return the name as it is now."""
        return str(super().to_python(_OLD.get(value, value)))

    def bound_data(self, data: Any, initial: Any) -> Any:
        """Return what is chosen, for the page."""
        data = super().bound_data(data, initial)
        return _OLD.get(data, data)


def midnight(day: date) -> datetime:
    """Return when a day begins in the console's time zone."""
    return timezone.make_aware(datetime.combine(day, time.min))


def within(field: str, first: datetime | None, end: datetime | None) -> Q:
    """Return the condition that `field` is from `first` on, and before `end`."""
    found = Q()
    if first:
        found &= Q(**{f"{field}__gte": first})
    if end:
        found &= Q(**{f"{field}__lt": end})
    return found


class MomentInput(forms.DateTimeInput):
    """A calendar with a clock; an address may name a day alone."""

    input_type = "datetime-local"

    def __init__(self, *, if_day: time) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")
        self.if_day = if_day

    def format_value(self, value: Any) -> str | None:
        text = super().format_value(value)
        is_day = text is not None and len(text) == len("2026-11-30")
        return f"{text}T{self.if_day:%H:%M}" if is_day else text


class MomentField(forms.Field):
    """A day, or a minute of it; what it cleans to bounds a period.

    `is_end`: the day or minute that is given is the last one within, so it cleans to
    the moment after it. Otherwise to the moment at which it begins.
    """

    def __init__(self, label: str, *, is_end: bool = False) -> None:
        if_day = time(23, 59) if is_end else time.min
        super().__init__(label=label, required=False, widget=MomentInput(if_day=if_day))
        self.is_end = is_end

    def to_python(self, value: Any) -> datetime | None:
        if value in self.empty_values:
            return None
        moment, length = _read(str(value).strip())
        if not FIRST_YEAR <= moment.year <= LAST_YEAR:
            raise ValidationError(f"Give a year from {FIRST_YEAR} to {LAST_YEAR}.")
        if not self.is_end:
            return timezone.make_aware(moment)
        if length == _DAY:
            return timezone.make_aware(moment + length)
        # Where clocks are set back a minute is there twice: up to the later one.
        both = (timezone.make_aware(moment.replace(fold=fold)) for fold in (0, 1))
        return max(each.astimezone(UTC) for each in both) + length


def _read(text: str) -> tuple[datetime, timedelta]:
    """Return where what `text` names begins, and how long it lasts."""
    try:
        if len(text) == len("2026-11-30"):
            return datetime.combine(date.fromisoformat(text), time.min), timedelta(1)
        moment = datetime.strptime(text, "%Y-%m-%dT%H:%M")  # noqa: DTZ007 - made so later
    except ValueError:
        raise ValidationError(
            "Give a date and time, for example 2026-11-30T14:00."
        ) from None
    return moment, timedelta(minutes=1)


def zone_in_words() -> str:
    """Return the time zone of the console, as "Europe/Berlin (UTC+01:00)"."""
    name = timezone.get_current_timezone_name()
    shift = f"{timezone.localtime():%:z}"
    return name if name == "UTC" else f"{name} (UTC{shift})"
