"""Words that only the pages of this app need."""

import json

from django import template

from operations.display.sentence import again_risk

register = template.Library()


@register.filter
def pretty_json(value: object) -> str:
    """Write a JSON value over several lines. Plain text: the template escapes it."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


register.filter("again_risk", again_risk)
