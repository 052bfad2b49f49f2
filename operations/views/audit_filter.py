"""What the audit page can be narrowed to, so that each way has an index."""

from itertools import batched
from typing import Any

from django import forms
from django.db.models import Q, Value
from django.db.models.functions import Upper
from django.utils import timezone

from console.access.roles import Person, Role, environments_for
from console.environments import Environment
from console.models import AuditEvent, AuditEventQuerySet
from console.ui.periods import PeriodField, Preset, within
from operations.display.audit_words import WORDS, choices
from operations.filters import LARGEST_KEY, PeriodFilter, cursor, word

# A word in a subject has no index: so many of the events that the other filters let
# through are looked at for one page, and the page says so.
SEARCHED = 5_000
# So many subjects are read at once.
AT_ONCE = 1_000


def number(label: str) -> forms.IntegerField:
    """Return a field for the number of a write or of an operation."""
    return forms.IntegerField(
        label=label, required=False, min_value=1, max_value=LARGEST_KEY
    )


def codes_of(given: str) -> list[str]:
    """Return the action of a code, or all whose code has that in it: an old address."""
    return [given] if given in WORDS else [code for code in WORDS if given in code]


class ActionField(forms.MultipleChoiceField):
    """Codes of actions; parts of them, as addresses of before have them, count too."""

    def valid_value(self, value: str) -> bool:
        """Tell whether it is or names any."""
        return bool(codes_of(value))


class AuditFilter(PeriodFilter):
    """Which audit events are shown."""

    text = word("Subject contains", widget=forms.TextInput(attrs={"type": "search"}))
    user = word("User")
    action = ActionField(
        required=False,
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )
    environment = forms.ChoiceField(required=False)
    project = word("Project")
    write = number("Write number")
    operation = number("Operation number")
    address = forms.GenericIPAddressField(label="Address", required=False)
    request = word("Request id")
    period = PeriodField()
    before = cursor()

    # Of which several values may be given.
    SEVERAL = ("action",)
    # These are folded away until one of them is used.
    FOLDED = (
        *("environment", "project", "write", "operation", "address", "request"),
        *("from", "to"),
    )

    def __init__(self, *args: Any, user: Person, **kwargs: Any) -> None:
        """Offer the environments that `user` may look at."""
        super().__init__(*args, **kwargs)
        self.fields["action"].choices = choices()  # type: ignore[attr-defined]
        words = environments_for(user, Role.VIEWER)
        self.fields["environment"].choices = [  # type: ignore[attr-defined]
            ("", "All"),
            *((each, Environment(each).label) for each in words),
        ]

    @property
    def shows_all(self) -> bool:
        """Whether a filter of the folded part is on."""
        return not self.narrowing.keys().isdisjoint(self.FOLDED)

    @property
    def grouped_actions(self) -> list[tuple[str, list[tuple[str, str, bool]]]]:
        """The actions by group, each with its code, its words, and whether it is on."""
        ticked = self.narrowing.get("action", [])
        return [
            (name, [(code, words, code in ticked) for code, words in options])
            for name, options in choices()
        ]

    def apply(self, events: AuditEventQuerySet) -> AuditEventQuerySet:
        """Return those of `events` that all filters but the text let through.

        Newest first: by time where a period is given, whose index then tells both.
        """
        given = self.cleaned_data
        exact = {
            "environment": given["environment"],
            "address": given["address"],
            "correlation_id": given["request"],
            "action__in": [code for part in given["action"] for code in codes_of(part)],
        }
        times = self.during("at")
        if given["period"]:
            times &= within("at", *Preset(given["period"]).bounds(timezone.now()))
        found = events.filter(
            times, **{name: value for name, value in exact.items() if value}
        ).about(write=given["write"], operation=given["operation"])
        for name, column in {"user": "actor_name", "project": "project_name"}.items():
            if given[name]:
                spelt = {f"{name}_spelt": Upper(column)}
                same = {f"{name}_spelt": Upper(Value(given[name]))}
                found = found.alias(**spelt).filter(**same)
        if times:
            return found.order_by("-at", "-pk")
        return found.newest_first()

    def within(self, found: AuditEventQuerySet) -> AuditEventQuerySet:
        """Return the rest of `found` behind the page's beginning."""
        before = self.cleaned_data["before"]
        if not before:
            return found
        if found.query.order_by != ("-at", "-pk"):
            return found.filter(pk__lt=before)
        edge = AuditEvent.objects.filter(pk=before).values_list("at", flat=True).first()
        if edge is None:
            return found.none()
        older = Q(at__lt=edge) | Q(at=edge, pk__lt=before)
        # The index begins there; what stands above cannot tell it.
        return found.filter(older, at__lte=edge)

    def mentioning(
        self, rest: AuditEventQuerySet, most: int
    ) -> tuple[list[int], int | None]:
        """Look for the text in the first `SEARCHED` of `rest`, in their order.

        Return the numbers of at most `most` events that have it, and the number to go
        on behind where nothing more was found, None where there is nothing behind it.
        Their numbers come first, which an index tells without the rows: asked for both,
        PostgreSQL walks through the events of everybody else as well.
        """
        text = self.cleaned_data["text"].casefold()
        found: list[int] = []
        numbers = list(rest.values_list("pk", flat=True)[: SEARCHED + 1])
        for some in batched(numbers[:SEARCHED], AT_ONCE):
            events = AuditEvent.objects.filter(pk__in=some).order_by()
            subjects = dict(events.values_list("pk", "subject"))
            found += [pk for pk in some if text in subjects[pk].casefold()]
            if len(found) >= most:
                return found[:most], None
        if len(numbers) > SEARCHED:
            return found, numbers[SEARCHED - 1]
        return found, None
