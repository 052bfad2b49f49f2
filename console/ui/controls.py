"""The controls of forms, drawn in Python as Django's templates draw them.

The list of operations has some twenty controls and hundreds of options, each of which
is a template of its own in Django (docs/decisions/operations.md).
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.utils.html import conditional_escape, format_html, format_html_join
from django.utils.safestring import SafeString

# As Django gives them to the template of a widget.
Widget = Mapping[str, Any]


def draw(template_name: str, widget: Widget) -> SafeString | None:
    """Return a control as HTML, None for those that Django's own template draws."""
    drawer = _DRAWERS.get(template_name)
    return drawer(widget) if drawer else None


def attributes(attrs: Mapping[str, Any]) -> SafeString:
    """Return the attributes of an element: those that are True have no value."""
    given = ((name, value) for name, value in attrs.items() if value is not False)
    return format_html_join("", "{}", ((_attribute(*each),) for each in given))


def _attribute(name: str, value: Any) -> SafeString:
    if value is True:
        return format_html(" {}", name)
    return format_html(' {}="{}"', name, _text(value))


def _text(value: Any) -> str:
    # Numbers too are written as they are, whatever the language of the page.
    return conditional_escape(value if isinstance(value, SafeString) else str(value))


def _input(widget: Widget) -> SafeString:
    value = widget["value"]
    return format_html(
        '<input type="{}" name="{}"{}{}>',
        widget["type"],
        widget["name"],
        "" if value is None else _attribute("value", value),
        attributes(widget["attrs"]),
    )


def _select(widget: Widget) -> SafeString:
    groups = ((_group(name, options),) for name, options, _ in widget["optgroups"])
    return format_html(
        '<select name="{}"{}>{}\n</select>',
        widget["name"],
        attributes(widget["attrs"]),
        format_html_join("", "{}", groups),
    )


def _group(name: str | None, options: Iterable[Widget]) -> SafeString:
    inner = format_html_join("", "\n  {}", ((_option(each),) for each in options))
    if not name:
        return inner
    return format_html('\n  <optgroup label="{}">{}\n  </optgroup>', name, inner)


def _option(widget: Widget) -> SafeString:
    return format_html(
        '<option value="{}"{}>{}</option>',
        _text(widget["value"]),
        attributes(widget["attrs"]),
        widget["label"],
    )


def _tick(widget: Widget) -> SafeString | None:
    """Return a box of several, or None where its label is to be drawn around it."""
    return None if widget["wrap_label"] else _input(widget)


_DRAWERS: dict[str, Callable[[Widget], SafeString | None]] = {
    f"django/forms/widgets/{name}.html": drawer
    for drawer, names in {
        _input: ("input", "text", "number", "email", "url", "password", "hidden")
        + ("date", "datetime", "checkbox"),
        _tick: ("checkbox_option", "radio_option"),
        _select: ("select",),
    }.items()
    for name in names
}
