"""Words that only the pages of this app need."""

from django import template

from operations.display.sentence import again_risk
from operations.display.times import ago, duration
from operations.outcome.log_line import log_line
from operations.outcome.row_failures import unfolded

register = template.Library()
register.filter("again_risk", again_risk)
register.filter("unfolded", unfolded)
register.filter("as_line", log_line)
register.filter("ago", ago)
register.filter("duration", duration)
