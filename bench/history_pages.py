"""The addresses of the pages of the history, in a database of so many operations.

Of each filter a value that many have, one that only the oldest have, and one of none.
"""

from datetime import timedelta
from urllib.parse import urlencode

from copying import FORMER, VALUE
from django.utils import timezone
from filling import EVERY, LONG_AGE, PROJECTS, error_of

from operations.outcome.error_kinds import kind_of

# The environment of the oldest: see `filling`.
FORMER_ENVIRONMENT = "test"


def pages(count: int) -> dict[str, str]:
    """Return the addresses of all pages by name."""
    return {
        **{f"list_{name}": _url("", query) for name, query in filters(count).items()},
        **{f"together_{name}": _url("", query) for name, query in _together().items()},
        **{
            f"errors_{name}": _url("failures/", query)
            for name, query in _of_errors(count).items()
        },
        **{f"search_{name}": f"/search/?q={q}" for name, q in _searches(count).items()},
        **{
            f"audit_{name}": _url("", query, "/audit/")
            for name, query in _of_audit(count).items()
        },
        **_others(count),
    }


def _url(page: str, query: dict[str, object], root: str = "/operations/") -> str:
    return f"{root}{page}?{urlencode(query, doseq=True)}"


def filters(count: int) -> dict[str, dict[str, object]]:
    """Return the filters of the list."""
    today = timezone.localdate()
    # A whole day, of which every database holds the whole; and one of the oldest.
    day = today - timedelta(days=2)
    first = timezone.localtime(timezone.now() - count * EVERY).date()
    old = first + timedelta(days=1)
    return {
        "all": {},
        "old_page": {"before": count // 2},
        "states": {"status": "failed"},
        "states_former": {"status": "not_written"},
        "states_none": {"status": "held"},
        "states_several": {"status": ["failed", "rejected"]},
        "states_several_rare": {"status": ["unknown", "held"]},
        "states_several_former": {"status": ["not_written", "held"]},
        "states_ended_badly": {"status": "ended_badly"},
        "states_running": {"status": "running"},
        "project": {"project": 1},
        "project_former": {"project": PROJECTS + 1},
        "environment": {"environment": "production"},
        "environment_small": {"environment": "sandbox"},
        "environment_former": {"environment": FORMER_ENVIRONMENT},
        "integration": {"integration": 1},
        "integration_former": {"integration": PROJECTS + 1},
        "object": {"object": "Account"},
        "object_former": {"object": FORMER},
        "object_none": {"object": "nothing"},
        "customer": {"group": "group-3"},
        "customer_former": {"group": FORMER},
        "customer_none": {"group": "nobody"},
        "user": {"user": "Operator"},
        "user_former": {"user": FORMER},
        "user_none": {"user": "nobody"},
        "action": {"action": "upsert"},
        "action_former": {"action": "create"},
        "action_none": {"action": "by_id"},
        "source": {"source": "url"},
        "source_former": {"source": "record"},
        "source_none": {"source": "csv"},
        "write": {"write": count // 3},
        "write_none": {"write": count + 1},
        "period_24h": {"period": "24h"},
        "period_7d": {"period": "7d"},
        "period_last_month": {"period": "last_month"},
        "day": {"from": day, "to": day},
        "day_old": {"from": old, "to": old},
        "size": {"rows_min": 1_000, "rows_max": 1_000},
        "size_former": {"rows_min": 5, "rows_max": 10},
        "size_none": {"rows_min": 2_000},
        "failures": {"failures": "on"},
        "undecided": {"undecided": "on"},
        "rows_succeeded": {"outcome": "rows_succeeded"},
        "rows_failed": {"outcome": "rows_failed"},
        "rows_unknown": {"outcome": "rows_unknown"},
        "error": {"error": kind_of(error_of(count)).digest},
        "error_former": {"error": FORMER},
        "error_none": {"error": "nothing"},
        "text": {"text": "rows were not"},
        "text_id": {"text": f"remote-{count // 3}"},
        "text_former": {"text": FORMER},
        "text_none": {"text": "nowhere"},
    }


def _together() -> dict[str, dict[str, object]]:
    """Return several filters at a time, also such that let nothing through."""
    day = timezone.localdate() - timedelta(days=2)
    return {
        "customer_and_state": {"group": "group-3", "status": "failed"},
        "customer_and_state_former": {"group": FORMER, "status": "not_written"},
        "customer_and_state_none": {"group": FORMER, "status": "failed"},
        "project_and_action_none": {"project": 1, "action": "create"},
        "environment_and_state": {"environment": "sandbox", "status": "failed"},
        "environment_and_state_none": {"environment": "test", "status": "failed"},
        "object_and_user": {"object": "contact", "user": "operator"},
        "day_and_state": {"from": day, "to": day, "status": "failed"},
        "day_and_customer_none": {"from": day, "to": day, "group": FORMER},
        "state_and_size_none": {"status": "failed", "rows_max": 10},
        "failures_of_customer": {"failures": "on", "group": "group-11"},
        "failures_of_former": {"failures": "on", "source": "record"},
    }


def _of_errors(count: int) -> dict[str, dict[str, object]]:
    names = ("all", "old_page", "states", "states_former", "project", "object")
    names += ("customer", "customer_former", "environment_former", "day", "user")
    return {name: filters(count)[name] for name in names}


def _searches(count: int) -> dict[str, str]:
    pk = count // 3
    return {
        "number": f"%23{pk}",
        "remote_id": f"remote-{count}",
        "record_id": f"003{pk:015}",
        "request_id": f"req-{pk}",
        "digest": f"{pk:08x}",
        "customer": "Customer 7",
        "customer_unlisted": FORMER,
        "value": VALUE,
        "common_value": "berlin",
        "file_word": f"{pk}x",
        "file_common": "accounts",
        "file_two_words": f"accounts {pk}x",
        "file_beginning": "acc",
        "text_common": "rows were not",
        "text_nowhere": "no such text",
        "nothing": "nothing-has-this",
    }


def _of_audit(count: int) -> dict[str, dict[str, object]]:
    first = (timezone.now() - count / 2 * timedelta(minutes=2)).date()
    last = first + timedelta(days=5)
    return {
        "all": {},
        "old_page": {"before": count // 2},
        "action_frequent": {"action": "write.confirmed"},
        "action_rare": {"action": "key.revoked"},
        "actions_several": {"action": ["key.revoked", "user.signed_in"]},
        "action_none": {"action": "user.deleted"},
        "user": {"user": "USER-7"},
        "user_none": {"user": "nobody"},
        "environment": {"environment": "production"},
        "environment_rare": {"environment": "sandbox"},
        "project": {"project": "project 3"},
        "project_none": {"project": "none"},
        "address": {"address": "203.0.113.7"},
        "address_none": {"address": "198.51.100.1"},
        "request": {"request": f"{count // 4:032x}"},
        "write": {"write": count // 5},
        "operation": {"operation": count // 5},
        "write_none": {"write": 999_999_999},
        "days": {"from": first, "to": last},
        "old_days_of_user": {"from": first, "to": last, "user": "user-7"},
        "user_and_action": {"user": "user-7", "action": "key.revoked"},
        "text": {"text": "customer 12"},
        "text_none": {"text": "nowhere"},
        "text_of_user": {"text": "nowhere", "user": "user-7"},
    }


def _others(count: int) -> dict[str, str]:
    one = f"/operations/{count - LONG_AGE}/"
    today = timezone.localdate()
    month = {"from": today - timedelta(days=29), "to": today - timedelta(days=1)}
    return {
        "home": "/",
        "list_poll": "/operations/rows/?seen=old",
        "view_counts": "/operations/views/counts/",
        "views": "/operations/views/",
        "report": _url("report/", month),
        "detail": one,
        "detail_poll": f"{one}status/?seen=old",
        "detail_poll_no_news": f"{one}status/?seen=1-4",
        "detail_of_oldest": "/operations/1/",
        "log": f"{one}logs/",
        "log_older": f"{one}logs/?before=110",
        "compare": f"{one}compare/",
        "compared": f"{one}compare/{count - LONG_AGE - 3}/",
        "error_former": f"/operations/failures/{FORMER}/",
        "audit_event": f"/audit/{count // 2}/",
    }


def logs(count: int, age: int) -> dict[str, str]:
    """Return the pages of the log of the operation of this age."""
    one = f"/operations/{count - age}/"
    return {
        "detail": one,
        "log": f"{one}logs/",
        "log_older": f"{one}logs/?before=110",
        "log_from_level": f"{one}logs/?severity=warning-up",
        "log_of_severity": f"{one}logs/?severity=ERROR",
        "log_at": f"{one}logs/?at=500",
        "log_search": f"{one}logs/?q=progress",
        "log_entry": f"{one}logs/500/",
    }
