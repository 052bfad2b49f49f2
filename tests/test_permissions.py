"""Every address, as everybody: what they get is what docs/permissions.md says."""

from collections.abc import Iterator

import pytest
from django.urls import reverse

from console.access.roles import Role
from tests import permission_table
from tests.permission_table import Row
from tests.permissions import CANARY, KINDS, Person, Stage, expected, stage, walk

pytestmark = pytest.mark.pages

ROWS = permission_table.rows()
# Where somebody with a role reads what lies in their environment.
SHOWING = [
    *("home", "operations:list", "operations:rows", "audit:list", "audit:csv"),
    *("connections:list", "writes:record", "writes:csv", "writes:url"),
]


def _part(name: str) -> str:
    return name.rpartition(":")[0] or "pages"


@pytest.fixture
def everything(db: None) -> Iterator[Stage]:
    """Something of everything, and people who ask for it."""
    with stage() as made:
        yield made


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert permission_table.amiss() == []


def test_the_table_uses_known_words() -> None:
    roles = {role.word for role in Role if role}
    needs = {"–", "anyone", "signed in", "monitoring", "admin everywhere", *roles}
    for row in ROWS.values():
        assert set(row.needs.values()) <= needs, row
        assert not row.of or row.of in KINDS, row
        assert row.stranger in (
            ("404",) if row.least and row.of else ("nothing of it", "the page", "403")
        ), row


@pytest.mark.parametrize("part", sorted({_part(name) for name in ROWS}))
def test_everybody_gets_what_the_table_says(part: str, everything: Stage) -> None:
    rows = [row for name, row in ROWS.items() if _part(name) == part]
    lines = [line for row in rows for line in walk(row, everything)]
    assert [gap for line in lines for gap in line.gaps] == []


def test_who_has_a_role_reads_what_is_kept_from_strangers(everything: Stage) -> None:
    operator = next(g for g in everything.guests if g.person.name == "operator")
    for name in SHOWING:
        assert CANARY in operator.ask("GET", reverse(name)).all_text, name


def test_a_row_that_is_wrong_is_found(everything: Stage) -> None:
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
