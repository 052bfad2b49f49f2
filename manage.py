#!/usr/bin/env python
"""Django's command line for the Write Console."""

import os
import sys

from django.core.management import execute_from_command_line
from django.db import DatabaseError, InterfaceError


def main() -> None:
    """Run a command; a database that cannot be used is told in one line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    try:
        execute_from_command_line(sys.argv)
    except (DatabaseError, InterfaceError) as error:
        from console.runtime.trouble import trouble_of

        trouble = trouble_of(error)
        if trouble is None:
            raise
        reason = " ".join(str(error).split())
        sys.exit(f"{trouble.text} {trouble.remedy} ({reason})")


if __name__ == "__main__":
    main()
