"""Small words that templates need everywhere; loaded into all of them."""

import json
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django import forms, template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from console import VERSION
from console.environments import Environment
from console.sign_in import kept_form
from console.static_files import SCRIPTS, STYLES, files_of

register = template.Library()

# What a form holds that nobody typed.
UNSAID = ("do", "edition", "reviewed", "token")


@register.simple_tag
def version() -> str:
    """Write the console's version; a tag, since pages of errors have no context."""
    return VERSION


@register.simple_tag
def time_zone() -> str:
    """Write the name of the zone in which pages tell times."""
    return timezone.get_current_timezone_name()


@register.simple_tag
def styles() -> str:
    """Link to the style sheets of every page."""
    files = ((static(path),) for path in files_of(STYLES))
    return format_html_join("\n", '<link rel="stylesheet" href="{}">', files)


@register.simple_tag
def scripts() -> str:
    """Link to the scripts of every page."""
    files = ((static(path),) for path in files_of(SCRIPTS))
    return format_html_join("\n", '<script src="{}" defer></script>', files)


@register.simple_tag(takes_context=True)
def typed_by(context: dict[str, Any], page: str) -> str:
    """Have a form kept when the sign-in is over, until `page` shows it again.

    One that asks for a secret is not kept.
    """
    form = context.get("form")
    fields = form.fields.values() if isinstance(form, forms.BaseForm) else ()
    if any(isinstance(field.widget, forms.PasswordInput) for field in fields):
        return ""
    signed = kept_form.typed_by(context["user"], page)
    return format_html(
        '<input type="hidden" name="{}" value="{}">', kept_form.FIELD, signed
    )


@register.inclusion_tag("console/kept_form.html", takes_context=True)
def kept_form_box(context: dict[str, Any]) -> dict[str, Any]:
    """Show what was kept for this page, where its view did not take it."""
    request = context.get("request")
    kept = None
    if request is not None and getattr(request, "user", None) is not None:
        kept = kept_form.taken(request)
    if kept is None:
        return {}
    shown = [
        (name, value)
        for name, values in kept["typed"].items()
        for value in values
        if value.strip() and name not in UNSAID
    ]
    return {"json": json.dumps([kept.get("to", ""), kept["typed"]]), "shown": shown}


@register.simple_tag
@lru_cache
def icon(name: str) -> str:
    """Draw an icon of static/icons.svg; it is decoration, words stand beside it."""
    address = static("icons.svg")
    return format_html(
        '<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>',
        address,
        name,
    )


@register.simple_tag
def environment_badge(project: Any) -> SafeString:
    """Write the environment of a project, or of what else has one, as a word."""
    return _environment_badge(project.environment)


@lru_cache
def _environment_badge(environment: str) -> SafeString:
    is_production = environment == Environment.PRODUCTION
    return format_html(
        '<span class="environment environment-{}">{}{}</span>',
        environment,
        icon("alert-triangle") if is_production else "",
        Environment(environment).label,
    )


@register.simple_tag
def moment(value: datetime | None, words: str = "") -> str:
    """Draw a point in time, exactly and in `words`; a dash where there is none.

    Django's own filter takes ten times as long, and a list has fifty of them.
    """
    if not value:
        return "–"
    local = timezone.localtime(value)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        local.isoformat(),
        f"{local:%Y-%m-%d %H:%M:%S %Z}",
        words or f"{local.day} {local:%b %Y %H:%M:%S}",
    )


@register.filter
def thousands(value: int | None) -> str:
    """Write a count as 12,431; nothing known is a dash."""
    return "–" if value is None else f"{value:,}"


@register.filter
def file_size(value: int | None) -> str:
    """Write a number of bytes in the units that Ampersand's limits use (MiB)."""
    if value is None:
        return "–"
    if value < 1024:
        return f"{value:,} bytes"
    if value < 1024 * 1024:
        return f"{value / 1024:,.1f} KiB"
    return f"{value / 1024 / 1024:,.2f} MiB"


@register.filter
def duration(value: timedelta) -> str:
    """Return a time as people say it: "0.4 s", "40 s", "4 min", "1 h 20 min"."""
    exact = value.total_seconds()
    seconds = round(exact)
    if 0 < exact < 0.95:
        return f"{max(exact, 0.1):.1f} s"
    if seconds < 60:
        return f"{seconds} s"
    minutes = round(seconds / 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@register.filter
def as_json(value: Any) -> str:
    """Write a value as JSON that people can read; the template escapes it.

    Half a surrogate pair cannot be sent to a browser, and is written as an escape.
    """
    try:
        text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    except RecursionError:
        return "(nested too deeply to be shown)"
    return text.encode(errors="backslashreplace").decode()
