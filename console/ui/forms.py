"""How every form of the console looks."""

from typing import Any

from django import forms
from django.db.models import QuerySet
from django.forms.renderers import TemplatesSetting

from console.ui.controls import draw
from console.validators import validate_line


class ConsoleRenderer(TemplatesSetting):
    """Draws a field as label, control, hint and errors: console/field.html."""

    field_template_name = "console/field.html"

    def render(
        self, template_name: str, context: dict[str, Any], request: Any = None
    ) -> str:
        """Draw a form, a field or a control; the usual controls without a template."""
        control = (
            draw(template_name, context["widget"]) if "widget" in context else None
        )
        return control or super().render(template_name, context, request)


class StyledMixin:
    """Give the controls of a form the classes of the UI kit.

    What is typed in one line is one: a browser sees to that, and others need not.
    """

    fields: dict[str, forms.Field]
    # Another one where two forms stand on a page: their ids must not meet.
    ids = "id_%s"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": self.ids, **kwargs})
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", _css_class(field.widget))
            if isinstance(field, forms.CharField) and _is_line(field.widget):
                field.validators.append(validate_line)


def _is_line(widget: forms.Widget) -> bool:
    return isinstance(widget, forms.TextInput)


def _css_class(widget: forms.Widget) -> str:
    if isinstance(widget, forms.CheckboxInput):
        return "form-check-input"
    if isinstance(widget, forms.Select):
        return "form-select"
    return "form-control"


def offer(form: forms.BaseForm, name: str, rows: QuerySet[Any]) -> None:
    """Let only `rows` be chosen in a field of `form`."""
    form.fields[name].queryset = rows  # type: ignore[attr-defined]


class StyledForm(StyledMixin, forms.Form):
    """A form in the look of the console."""


class StyledModelForm(StyledMixin, forms.ModelForm):  # type: ignore[type-arg]
    """A form of a model in the look of the console."""
