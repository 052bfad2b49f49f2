"""What lists can be narrowed to: GET forms, so that every view has an address."""

from datetime import date, datetime, timedelta
from typing import Any, ClassVar, NamedTuple

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.functional import cached_property

from console.access.roles import Person, Role, environments_for
from console.environments import Environment
from console.models import Group, Integration, Project
from console.runtime import db_clock
from console.ui.filter import Filter
from console.ui.forms import StyledForm, offer
from console.ui.periods import (
    OF_DAYS,
    MomentField,
    PeriodField,
    Preset,
    midnight,
    within,
)
from console.validators import LARGEST_NUMBER
from operations.models import Failure, Operation
from operations.models.operation_queries import OperationQuerySet, on_hold
from operations.models.severities import at_least

LARGEST_KEY = 2**63 - 1
# Characters of the filters that a saved view keeps.
MOST_SAVED = 2000
# So many numbers of rows are asked for one by one.
MOST_SIZES = 10
# What Home counts, so that its tiles lead to what they counted, and what pages call on
# hold: some of the operations in these states.
SEVERAL_STATES = [
    ("running", "Running"),
    ("ended_badly", "Failed, partly failed or rejected"),
    ("on_hold", "On hold"),
]
MAY_REST: set[str] = {Operation.State.HELD, Operation.State.IN_PROGRESS}
# What the plots count, by the names of `ROW_OUTCOMES`.
ROW_WORDS = [
    ("rows_succeeded", "With succeeded rows"),
    ("rows_failed", "With failed rows"),
    ("rows_unknown", "With unknown rows"),
]

# Of which Ampersand has more of the log than this console.
LOG_WORDS = [
    ("at_risk", "Not stored yet"),
    ("lost", "Not stored in time"),
]

# One for each word that pages have for an action.
ACTIONS = [
    (value, label)
    for place, (value, label) in enumerate(Operation.Action.choices)
    if label not in Operation.Action.labels[:place]
]

LOG_LEVELS = [
    ("info-up", "Info and above"),
    ("warning-up", "Warning and above"),
    ("error-up", "Error and above"),
]


def cursor() -> forms.IntegerField:
    """Return a field for the key at which a page begins or ends."""
    return forms.IntegerField(
        required=False,
        min_value=1,
        max_value=LARGEST_KEY,
        widget=forms.HiddenInput,
    )


def number(label: str, *, least: int, most: int) -> forms.IntegerField:
    """Return a field for a whole number."""
    return forms.IntegerField(
        label=label, required=False, min_value=least, max_value=most
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

    def during(self, field: str) -> Q:
        """Return the condition that `field` is within the days, in our time zone."""
        first, last = self.cleaned_data["from"], self.cleaned_data["to"]
        return within(
            field,
            midnight(first) if first else None,
            midnight(last + timedelta(days=1)) if last else None,
        )


class Place(NamedTuple):
    """Where an operation stands in the list."""

    pk: int
    created_at: datetime | None = None


class OperationFilter(Filter):
    """Which operations the list shows."""

    text = word("Search", widget=forms.TextInput(attrs={"type": "search"}))
    status = forms.MultipleChoiceField(
        label="State",
        required=False,
        choices=[*SEVERAL_STATES, *Operation.State.choices],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    project = forms.ModelChoiceField(
        Project.objects.none(), required=False, empty_label="All"
    )
    environment = forms.ChoiceField(required=False)
    integration = forms.ModelChoiceField(
        Integration.objects.none(), required=False, empty_label="All"
    )
    object = word("Object")
    group = word("Customer")
    user = word("User")
    action = forms.ChoiceField(required=False, choices=[("", "All actions"), *ACTIONS])
    source = forms.ChoiceField(
        required=False, choices=[("", "All sources"), *Operation.Source.choices]
    )
    write = number("Write", least=1, most=LARGEST_KEY)
    period = PeriodField()
    to = MomentField("To", is_end=True)
    # "from" is a word of Python, so it cannot be written as an attribute.
    locals()["from"] = MomentField("From")
    rows_min = number("Rows, at least", least=0, most=LARGEST_NUMBER)
    rows_max = number("Rows, at most", least=0, most=LARGEST_NUMBER)
    failures = forms.BooleanField(label="Has failed rows", required=False)
    undecided = forms.BooleanField(
        label="Outcome unknown, nobody decided", required=False
    )
    outcome = forms.ChoiceField(
        label="Rows", required=False, choices=[("", "Any rows"), *ROW_WORDS]
    )
    # The digest of a `Failure`: the page of an error leads here.
    error = word("Error", widget=forms.HiddenInput)
    log = forms.ChoiceField(
        label="Log", required=False, choices=[("", "Any"), *LOG_WORDS]
    )
    before = cursor()

    # These are folded away; above the list stands which of them are on.
    FOLDED: ClassVar = (
        "environment",
        "integration",
        "object",
        "user",
        "action",
        "source",
        "write",
        "from",
        "to",
        "rows_min",
        "rows_max",
        "outcome",
        "failures",
        "undecided",
        "log",
    )
    SEVERAL: ClassVar = ("status",)

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        """Offer what `user` may look at, and nothing else."""
        super().__init__(*args, **kwargs)
        self._user = user
        offer(self, "project", Project.objects.visible_to(user))
        offer(self, "integration", Integration.objects.visible_to(user))
        words = environments_for(user, Role.VIEWER)
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ("", "All"),
            *((word, Environment(word).label) for word in words),
        ]

    def clean(self) -> None:
        """Refuse a period or a size that ends before it begins."""
        given = self.cleaned_data
        first, end = given.get("from"), given.get("to")
        if first and end and end <= first:
            self.add_error("to", "This is before “From”.")
        least, most = given.get("rows_min"), given.get("rows_max")
        if least is not None and most is not None and most < least:
            self.add_error("rows_max", "This is less than “at least”.")

    @property
    def folded_on(self) -> int:
        """How many filters of the folded part are on."""
        return len(self.narrowing.keys() & set(self.FOLDED))

    def customer_in_words(self) -> str:
        """Return the name of the customer that it asks for, or what was typed."""
        typed: str = self.cleaned_data["group"]
        known = Group.objects.visible_to(self._user).filter(group_ref=typed)
        names = set(known.exclude(name="").values_list("name", flat=True)[:2])
        return names.pop() if len(names) == 1 else typed

    def error_in_words(self) -> str:
        """Return the error that it asks for, as far as its reader may see one."""
        digest: str = self.cleaned_data["error"]
        newest = Failure.objects.newest_of(digest, self._user)
        return str(newest) if newest else digest

    def apply(self, operations: OperationQuerySet) -> OperationQuerySet:
        """Return those of `operations` that the filters let through, by `before`."""
        found = self.narrow(operations)
        before = self.cleaned_data["before"]
        return found.filter(pk__lt=before) if before else found

    def page(
        self, operations: OperationQuerySet, *, with_text: bool = True
    ) -> OperationQuerySet:
        """Return the same in the order of the list, newest first.

        Within a period they are ordered by their time, so that the database begins at
        its end and not at the newest operation of all. `with_text` says whether the
        text is one of the filters.
        """
        found = self.narrow(operations, with_text=with_text)
        before = self.cleaned_data["before"]
        if not self.times:
            found = found.newest_first()
            return found.filter(pk__lt=before) if before else found
        found = found.order_by("-created_at", "-pk")
        return found.earlier_than(before) if before else found

    def place_of(self, operation: Place) -> tuple[Any, ...]:
        """Return what the list is ordered by, the largest first."""
        return (operation.created_at, operation.pk) if self.times else (operation.pk,)

    def down_to(self, last: Place) -> Q:
        """Return the condition that an operation is not below `last` in the list."""
        if not self.times:
            return Q(pk__gte=last.pk)
        moment = last.created_at
        later = Q(created_at__gt=moment) | Q(pk__gte=last.pk)
        return later & Q(created_at__gte=moment)

    def up_to(self, first: Place) -> Q:
        """Return the condition that an operation is not above `first` in the list."""
        if not self.times:
            return Q(pk__lte=first.pk)
        moment = first.created_at
        earlier = Q(created_at__lt=moment) | Q(pk__lte=first.pk)
        return earlier & Q(created_at__lte=moment)

    @property
    def several(self) -> dict[str, list[Any]]:
        """The columns of which several values may be let through, with these."""
        action = self.cleaned_data["action"]
        return {
            "state": self._states(),
            "action": _actions_called(action) if action else [],
            "rows_sent": self._sizes(),
        }

    @property
    def of_size(self) -> Q:
        """The condition on the number of rows; an empty one without such a filter."""
        least, most = (self.cleaned_data[name] for name in ("rows_min", "rows_max"))
        wanted = Q()
        if least is not None:
            wanted &= Q(rows_sent__gte=least)
        if most is not None:
            wanted &= Q(rows_sent__lte=most)
        return wanted

    def _sizes(self) -> list[int]:
        """Return each number of rows that is let through; none if those are many."""
        least, most = (self.cleaned_data[name] for name in ("rows_min", "rows_max"))
        if least is None or most is None or most - least >= MOST_SIZES:
            return []
        return list(range(least, most + 1))

    def narrow(
        self, operations: OperationQuerySet, *, with_text: bool = True
    ) -> OperationQuerySet:
        """Return those of `operations` that the filters let through, of every page."""
        given = self.cleaned_data
        exact = {
            "project": given["project"],
            "integration": given["integration"],
            "source": given["source"],
            "write_number": given["write"],
        }
        spelt = {
            "object_name": given["object"],
            "started_by_name": given["user"],
        }
        found = operations.filter(
            self.times,
            **{name: value for name, value in exact.items() if value},
        ).spelt(**{name: value for name, value in spelt.items() if value})
        if given["group"]:
            found = found.of_customer(given["group"])
        if states := self._states():
            found = found.filter(self._as_called(), state__in=states)
        if action := given["action"]:
            found = found.filter(action__in=_actions_called(action))
        if environment := given["environment"]:
            found = found.filter(environment=environment)
        if given["outcome"]:
            found = found.with_rows(given["outcome"])
        if given["error"]:
            found = found.filter(failures__digest=given["error"])
        found = found.filter(self.of_size)
        if given["failures"]:
            found = found.with_failures()
        if given["undecided"]:
            found = found.needing_attention()
        if given["log"] == "at_risk":
            found = found.log_at_risk(db_clock.now())
        if given["log"] == "lost":
            found = found.log_lost(db_clock.now())
        is_sought = with_text and given["text"]
        return found.mentioning(given["text"]) if is_sought else found

    @cached_property
    def times(self) -> Q:
        """The condition that an operation began in the time asked for, as of now."""
        given = self.cleaned_data
        found = within("created_at", given["from"], given["to"])
        if given["period"]:
            bounds = Preset(given["period"]).bounds(timezone.now())
            found &= within("created_at", *bounds)
        return found

    def places(self) -> set[str]:
        """Return the environments of what it names; it must be valid."""
        if not self.is_valid():
            return set()
        given = self.cleaned_data
        found = {given["environment"]}
        if project := given["project"]:
            found.add(project.environment)
        if integration := given["integration"]:
            found.add(integration.project.environment)
        return found - {""}

    @property
    def shows_unknown(self) -> bool:
        """Whether nothing but unknown outcomes is asked for."""
        given = self.cleaned_data
        return bool(given["undecided"]) or given["status"] == [Operation.State.UNKNOWN]

    def _states(self) -> list[str]:
        several = {
            "running": Operation.IN_FLIGHT,
            "ended_badly": Operation.ENDED_BADLY,
            "on_hold": MAY_REST,
        }
        chosen = self.cleaned_data["status"]
        found = {each for word in chosen for each in several.get(word, (word,))}
        return sorted(found)

    def _as_called(self) -> Q:
        """Return the condition that what rests is on hold, and in no other state.

        What is running, as Home counts it, may rest.
        """
        chosen = set(self.cleaned_data["status"])
        if "on_hold" not in chosen:
            is_called = "running" not in chosen and chosen & MAY_REST
            return ~on_hold() if is_called else Q()
        if "running" in chosen:
            chosen.add(Operation.State.IN_PROGRESS)
        return on_hold() | ~Q(state__in=MAY_REST - chosen)


def _actions_called(action: str) -> list[str]:
    """Return the actions that are called the same on pages."""
    label = Operation.Action(action).label
    return [each.value for each in Operation.Action if each.label == label]


class ReportFilter(PeriodFilter):
    """Of which days the report speaks, and of which environment.

    Days that are given come before a period by its name.
    """

    LONGEST: ClassVar = timedelta(days=366)
    USUAL: ClassVar = Preset.DAYS_30

    period = PeriodField(OF_DAYS, widget=forms.HiddenInput)
    environment = forms.ChoiceField(required=False)

    def __init__(self, given: QueryDict, *, user: Person) -> None:
        """Offer the environments that `user` may look at."""
        data = given.copy()
        # As older addresses call it.
        data.setdefault("period", "".join(data.pop("span", [])))
        super().__init__(data)
        words = environments_for(user, Role.VIEWER)
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ("", "All"),
            *((word, Environment(word).label) for word in words),
        ]

    @property
    def chosen(self) -> str:
        """Which of the presets is on, "" where days are given."""
        if self.narrowing.keys() & {"from", "to"}:
            return ""
        return self.cleaned_data["period"] or self.USUAL

    def clean(self) -> None:
        """Refuse more than a year."""
        super().clean()
        if self.errors:
            return
        first, last = self.days
        if last - first >= self.LONGEST:
            self.add_error("from", "Choose at most 366 days.")

    @property
    def days(self) -> tuple[date, date]:
        """The first day and the last one, of a form without errors."""
        today = timezone.localdate()
        if self.chosen and (days := Preset(self.chosen).days(today)):
            return days
        first, last = self.cleaned_data["from"], self.cleaned_data["to"]
        last = last or max(today, first)
        return first or last - timedelta(days=29), last


class LogFilter(Filter):
    """Which entries of one operation's log are shown, and from where on.

    `severity` is a level, as "warning-up", or a severity as the remote wrote it. `at`
    is an entry to be shown among its neighbours; `find` leads from there to the next
    one with the text, looking from `start` on.
    """

    CURSORS: ClassVar = ("before", "after", "at", "find", "start")

    severity = forms.ChoiceField(required=False)
    q = word("Search", widget=forms.TextInput(attrs={"type": "search"}))
    before = cursor()
    after = cursor()
    at = cursor()
    start = cursor()
    find = forms.ChoiceField(
        required=False, choices=[("previous", "Previous"), ("next", "Next")]
    )

    def __init__(self, *args: Any, severities: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._severities = severities
        named = [(name, name) for name in filter(None, severities)]
        choices: list[Any] = [("", "All"), ("At least", LOG_LEVELS)]
        choices += [("Only", named)] if named else []
        self.fields["severity"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> None:
        """Refuse a page that would begin at two ends."""
        places = ("before", "after", "at")
        if sum(bool(self.cleaned_data.get(name)) for name in places) > 1:
            raise forms.ValidationError("Give one of “before”, “after” and “at”.")

    @property
    def severities(self) -> list[str] | None:
        """Those that are let through, None for all."""
        chosen = self.cleaned_data["severity"]
        if chosen in dict(LOG_LEVELS):
            return at_least(chosen.removesuffix("-up"), self._severities)
        return [chosen] if chosen else None


class FollowForm(StyledForm):
    """Which operation of somebody else to watch."""

    project = forms.ModelChoiceField(Project.objects.none())
    remote_id = forms.CharField(
        label="Operation id",
        max_length=200,
        help_text="The id in Ampersand, for example from another system's log.",
    )

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        """Offer the projects in which `user` may have something sent."""
        super().__init__(*args, **kwargs)
        offer(self, "project", Project.objects.for_role(user, Role.OPERATOR))


class SavedViewForm(StyledForm):
    """A name for filters of the list, and who else may use them."""

    ids = "view_%s"
    name = forms.CharField(label="Name of the view", max_length=60)
    environment = forms.ChoiceField(label="Who sees it", required=False)
    query = forms.CharField(
        required=False, max_length=MOST_SAVED, widget=forms.HiddenInput, strip=False
    )

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        """Offer to share it where `user` has a role."""
        super().__init__(*args, **kwargs)
        self.user = user
        words = environments_for(user, Role.VIEWER)
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ("", "Only you"),
            *((w, f"Everybody with a role in {Environment(w).label}") for w in words),
        ]

    def clean_query(self) -> str:
        """Return the filters without what is none of them; refuse nonsense."""
        chosen = filter_of(self.cleaned_data["query"], self.user)
        if not chosen.is_valid():
            raise forms.ValidationError("These filters are not valid.")
        if not chosen.narrowing:
            raise forms.ValidationError("Choose filters first, then save them.")
        if len(chosen.query()) > MOST_SAVED:
            raise forms.ValidationError("These filters are too long to be saved.")
        return chosen.query()

    def clean(self) -> None:
        """Refuse to show the names in the filters to people of other environments."""
        given = self.cleaned_data
        shared, query = given.get("environment"), given.get("query")
        if not shared or not query:
            return
        for place in filter_of(query, self.user).places():
            if place != shared:
                label = Environment(place).label
                self.add_error(
                    "environment",
                    f"Its filters are about {label}: share it there or not at all.",
                )


def filter_of(query: str, user: Person) -> OperationFilter:
    """Return the filter that an address has behind "?"."""
    return OperationFilter(QueryDict(query), user=user)
