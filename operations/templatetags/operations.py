"""Words that only the pages of this app need."""

from django import template

from operations.display.sentence import again_risk

register = template.Library()
register.filter("again_risk", again_risk)
