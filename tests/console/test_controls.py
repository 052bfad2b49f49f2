"""Controls that are drawn in Python are those that Django's templates draw."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.forms.renderers import TemplatesSetting
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from console.ui.forms import ConsoleRenderer

# Each of them is once chosen from, with markup in values, labels and groups.
CHOICES: list[Any] = [
    ("", "All"),
    ("a&b", '<i>"A"</i>'),
    ("Group <1>", [(1000, "Thousand"), ("c'", "C")]),
]
WIDGETS: dict[str, forms.Widget] = {
    "text": forms.TextInput(
        attrs={"maxlength": 200, "required": True, "hidden": False}
    ),
    "search": forms.TextInput(attrs={"type": "search"}),
    "number": forms.NumberInput(),
    "email": forms.EmailInput(),
    "password": forms.PasswordInput(render_value=True),
    "url": forms.URLInput(),
    "hidden": forms.HiddenInput(),
    "date": forms.DateInput(attrs={"type": "date"}),
    "moment": forms.DateTimeInput(),
    "tick": forms.CheckboxInput(),
    "select": forms.Select(choices=CHOICES, attrs={"data-of": '"x"'}),
    "selects": forms.SelectMultiple(choices=CHOICES),
    "ticks": forms.CheckboxSelectMultiple(choices=CHOICES),
    "radios": forms.RadioSelect(choices=CHOICES),
    "textarea": forms.Textarea(),
}


def one_line(html: str) -> str:
    return re.sub(r"\s+", " ", html)


@pytest.mark.parametrize("name", WIDGETS)
@given(value=st.one_of(st.none(), st.text(), st.sampled_from(["a&b", "1000", "c'"])))
def test_each_is_as_django_draws_it(name: str, value: str | None) -> None:
    widget = WIDGETS[name]
    is_several = getattr(widget, "allow_multiple_selected", False)
    drawn = [
        one_line(
            widget.render(
                "na<me", [value] if is_several else value, {"id": 'i"d'}, renderer
            )
        )
        for renderer in (ConsoleRenderer(), TemplatesSetting())
    ]
    assert drawn[0] == drawn[1]


def test_a_moment_is_as_djangos_filter_writes_it() -> None:
    at = datetime(2026, 3, 9, 7, 5, 1, 250_000, tzinfo=UTC)
    html = (
        "<time datetime=\"{{ at|date:'c' }}\" title=\"{{ at|date:'Y-m-d H:i:s T' }}\">"
        '{{ at|date:"j M Y H:i:s" }}</time>'
    )
    context = Context({"at": at})
    drawn = Template("{% moment at %}").render(context)
    assert drawn == Template(html).render(context)
    assert Template("{% moment nothing %}").render(context) == "–"
