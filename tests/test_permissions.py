"""Every address, as everybody: what they get is what docs/permissions.md says."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse

from console.roles import Role
from tests import permission_table
from tests.permission_table import Row
from tests.permissions import CANARY, KINDS, Person, Stage, expected, stage, walk

ROWS = permission_table.rows()
# Where somebody with a role reads what lies in their environment.
SHOWING = [
    *("home", "operations:list", "operations:rows", "audit:list", "audit:csv"),
    *("connections:list", "writes:record", "writes:csv", "writes:url"),
]


@pytest.fixture(scope="module")
def everything(django_db_setup: None, django_db_blocker: Any) -> Iterator[Stage]:
    """One stage for all tests of this module, since it takes a second to set."""
    with django_db_blocker.unblock(), transaction.atomic():
        with stage() as made:
            yield made
        transaction.set_rollback(True)


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert permission_table.amiss() == []


def test_the_table_uses_known_words() -> None:
    roles = {role.word for role in Role if role}
    needs = {"–", "anyone", "signed in", "admin everywhere", *roles}
    for row in ROWS.values():
        assert set(row.needs.values()) <= needs, row
        assert not row.of or row.of in KINDS, row
        assert row.stranger in (
            ("404",) if row.least and row.of else ("nothing of it", "the page", "403")
        ), row


@pytest.mark.parametrize("name", sorted(ROWS))
def test_everybody_gets_what_the_table_says(
    name: str, everything: Stage, db: None
) -> None:
    gaps = [gap for line in walk(ROWS[name], everything) for gap in line.gaps]
    assert gaps == []


@pytest.mark.parametrize("name", SHOWING)
def test_who_has_a_role_reads_what_is_kept_from_strangers(
    name: str, everything: Stage, db: None
) -> None:
    guest = next(g for g in everything.guests if g.person.name == "operator")
    everything.world.draft.started_by = guest.user
    everything.world.draft.save()
    assert CANARY in guest.ask("GET", reverse(name)).all_text


def test_a_row_that_is_wrong_is_found(everything: Stage, db: None) -> None:
    wrong = {
        "writes:send": {"GET": "–", "POST": "viewer"},
        "operations:detail": {"GET": "admin", "POST": "–"},
        "home": {"GET": "anyone", "POST": "–"},
        "theme": {"GET": "signed in", "POST": "signed in"},
    }
    for name, needs in wrong.items():
        row = Row(name, ROWS[name].of, needs, ROWS[name].stranger)
        assert any(line.gaps for line in walk(row, everything)), name


def test_a_role_elsewhere_is_no_role_here() -> None:
    row = ROWS["operations:cancel"]
    foreign = Person("", elsewhere=Role.ADMIN)
    assert expected(row, "POST", foreign) == "404"
    assert expected(row, "POST", Person("", Role.VIEWER, Role.ADMIN)) == "403"
    assert expected(row, "POST", Person("", Role.OPERATOR)) == "in"
