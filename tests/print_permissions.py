"""Print who may do what, as it is: `python -m tests.print_permissions`.

Ends with 1 where it is not what docs/permissions.md says.
"""

import logging
import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import (  # noqa: E402
    setup_test_environment,
    teardown_test_environment,
)

from tests import permission_table, permissions  # noqa: E402


def main() -> int:
    """Walk everything in a database of its own, print the matrix, and what is amiss."""
    # Each refusal is logged, and most of what is tried here is refused.
    logging.disable()
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    gaps = permission_table.amiss()
    known = set(permission_table.every_address())
    rows = [row for row in permission_table.rows().values() if row.name in known]
    with permissions.stage() as stage:
        lines = [line for row in rows for line in permissions.walk(row, stage)]
    gaps += [gap for line in lines for gap in line.gaps]
    asked = sum(len(line.met) for line in lines)
    verdict = f"{asked:,} requests, {f'{len(gaps):,} gaps' if gaps else 'no gap'}"
    sys.stdout.write("\n".join([permissions.told(lines), "", *gaps, verdict, ""]))
    connection.creation.destroy_test_db(":memory:", verbosity=0)
    teardown_test_environment()
    return bool(gaps)


if __name__ == "__main__":
    sys.exit(main())
