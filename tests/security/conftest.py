"""Who attacks and what with: as in the tests of writes."""

from tests.writes.conftest import (  # noqa: F401 - fixtures
    browser,
    olga,
    target,
)
