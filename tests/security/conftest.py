"""Who attacks and what with: as in the tests of writes."""

from tests.writes.conftest import (  # noqa: F401 - fixtures
    _no_way_out,
    _stored_in_a_folder_of_its_own,
    browser,
    olga,
    target,
)
