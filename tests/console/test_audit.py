"""The audit trail: where an event came from."""

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from console.models import AuditEvent

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("trusted", "forwarded", "address"),
    [
        (False, "203.0.113.9", "127.0.0.1"),
        (True, "203.0.113.9", "203.0.113.9"),
        (True, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (True, "", "127.0.0.1"),
        (True, "<script>", None),
    ],
)
def test_where_it_came_from_is_what_the_trusted_proxy_says(
    trusted: bool,
    forwarded: str,
    address: str | None,
    rf: RequestFactory,
    settings: Settings,
) -> None:
    settings.TRUST_PROXY = trusted
    request = rf.get("/", headers={"X-Forwarded-For": forwarded})
    event = AuditEvent.record(action="a.b", subject="c", request=request)
    assert event.address == address
