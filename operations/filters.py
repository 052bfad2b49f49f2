"""What lists can be narrowed to: GET forms, so that every view has an address."""

from datetime import datetime, time, timedelta
from typing import Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q, QuerySet
from django.utils import timezone

from console.access.roles import Person, Role, environments_for
from console.environments import Environment
from console.models import Integration, Project
from console.ui.forms import StyledForm, offer
from operations.models import LogEntry, Operation
from operations.models.operation import OperationQuerySet

LARGEST_KEY = 2**63 - 1
# What Home counts, so that its tiles lead to what they counted.
SEVERAL_STATES = [
    ("running", "Running"),
    ("ended_badly", "Failed, partly failed or rejected"),
]


def cursor() -> forms.IntegerField:
    """Return a field for the key at which a page begins or ends."""
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_KEY,
        widget=forms.HiddenInput,
    )


def word(label: str = "", **values: Any) -> forms.CharField:
    """Return a field for a text of one line."""
    return forms.CharField(label=label, required=False, max_length=200, **values)


def day(label: str) -> forms.DateField:
    """Return a field for a date that a calendar can hold."""
    years = [
        MinValueValidator(datetime(2000, 1, 1).date(), "Give a year from 2000 on."),  # noqa: DTZ001 - a date
        MaxValueValidator(datetime(2199, 12, 31).date(), "Give a year up to 2199."),  # noqa: DTZ001 - a date
    ]
    return forms.DateField(
        label=label,
        required=False,
        validators=years,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


class Filter(StyledForm):
    """A GET form that knows how to write itself into an address."""

    CURSORS: ClassVar[tuple[str, ...]] = ("before", "after")

    def query(self, **changes: object) -> str:
        """Return the filters as a query string, without a page, plus `changes`."""
        return urlencode({**self.narrowing, **changes})

    @property
    def narrowing(self) -> dict[str, str]:
        """The filters that are on, by field name, as they were given."""
        given = {
            name: self.data.get(name, "").strip()
            for name in self.fields
            if name not in self.CURSORS
        }
        return {name: value for name, value in given.items() if value}


class PeriodFilter(Filter):
    """A filter with the days `from` and `to`, both included."""

    to = day("To")
    # "from" is a word of Python, so it cannot be written as an attribute.
    locals()["from"] = day("From")

    def clean(self) -> None:
        """Refuse a period that ends before it begins."""
        first, last = self.cleaned_data.get("from"), self.cleaned_data.get("to")
        if first and last and last < first:
            self.add_error("to", "This day is before the “From” day.")

    def period(self, field: str) -> Q:
        """Return the condition that `field` is within the days, in our time zone."""
        within = Q()
        if first := self.cleaned_data["from"]:
            start = timezone.make_aware(datetime.combine(first, time.min))
            within &= Q(**{f"{field}__gte": start})
        if last := self.cleaned_data["to"]:
            end = datetime.combine(last + timedelta(days=1), time.min)
            within &= Q(**{f"{field}__lt": timezone.make_aware(end)})
        return within


class OperationFilter(PeriodFilter):
    """Which operations the list shows."""

    text = word("Search", widget=forms.TextInput(attrs={"type": "search"}))
    status = forms.ChoiceField(
        label="State",
        required=False,
        choices=[("", "All states"), *SEVERAL_STATES, *Operation.State.choices],
    )
    project = forms.ModelChoiceField(
        Project.objects.none(), required=False, empty_label="All projects"
    )
    environment = forms.ChoiceField(required=False)
    integration = forms.ModelChoiceField(
        Integration.objects.none(), required=False, empty_label="All integrations"
    )
    object = word("Object")
    group = word("Customer")
    user = word("User")
    before = cursor()

    # These are folded away until one of them is used.
    FOLDED: ClassVar = (
        "environment",
        "integration",
        "object",
        "group",
        "user",
        "from",
        "to",
    )

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        """Offer what `user` may look at, and nothing else."""
        super().__init__(*args, **kwargs)
        offer(self, "project", Project.objects.visible_to(user))
        offer(self, "integration", Integration.objects.visible_to(user))
        words = environments_for(user, Role.VIEWER)
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ("", "All environments"),
            *((word, Environment(word).label) for word in words),
        ]

    @property
    def shows_all(self) -> bool:
        """Whether a filter of the folded part is on."""
        return not self.narrowing.keys().isdisjoint(self.FOLDED)

    def apply(self, operations: OperationQuerySet) -> OperationQuerySet:
        """Return those of `operations` that the filters let through."""
        exact = {
            "project": "project",
            "project__environment": "environment",
            "integration": "integration",
            "object_name__iexact": "object",
            "group_ref__iexact": "group",
            "started_by_name__iexact": "user",
            "pk__lt": "before",
        }
        given = self.cleaned_data
        found = self._in_status(operations).filter(
            self.period("created_at"),
            **{look_up: given[name] for look_up, name in exact.items() if given[name]},
        )
        return found.mentioning(given["text"]) if given["text"] else found

    def _in_status(self, operations: OperationQuerySet) -> OperationQuerySet:
        match self.cleaned_data["status"]:
            case "":
                return operations
            case "running":
                return operations.in_flight()
            case "ended_badly":
                return operations.ended_badly()
            case state:
                return operations.filter(state=state)


class LogFilter(Filter):
    """Which entries of one operation's log are shown."""

    severity = forms.ChoiceField(required=False)
    q = word("Search", widget=forms.TextInput(attrs={"type": "search"}))
    before = cursor()
    after = cursor()

    def __init__(self, *args: Any, severities: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "All severities"), *((name, name) for name in severities)]
        self.fields["severity"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Refuse a page that would begin at two ends."""
        if self.cleaned_data.get("before") and self.cleaned_data.get("after"):
            raise forms.ValidationError("Give either “before” or “after”, not both.")

    def apply(self, entries: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
        """Return those of `entries` that the filters let through, whatever the page."""
        given = self.cleaned_data
        if given["severity"]:
            entries = entries.filter(severity=given["severity"])
        if given["q"]:
            entries = entries.filter(
                Q(text__icontains=given["q"]) | Q(error__icontains=given["q"])
            )
        return entries


class FollowForm(StyledForm):
    """Which operation of somebody else to watch."""

    # It stands at the foot of the list, which has filters of the same names.
    ids = "follow_%s"
    project = forms.ModelChoiceField(Project.objects.none(), empty_label="Choose…")
    remote_id = forms.CharField(
        label="Operation id",
        max_length=200,
        help_text="The id in Ampersand, for example from another system's log.",
    )

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        """Offer the projects in which `user` may have something sent."""
        super().__init__(*args, **kwargs)
        offer(self, "project", Project.objects.for_role(user, Role.OPERATOR))
