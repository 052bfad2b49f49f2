"""Django's command, which leaves an event in the audit trail as well."""

import getpass
from typing import Any

from django.contrib.auth.management.commands import changepassword

from console.models import AuditEvent


class Command(changepassword.Command):
    """`manage.py changepassword`."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        # No transaction around it: it asks, and would hold the database meanwhile.
        said = super().handle(*args, **options)
        AuditEvent.record(
            action="user.password_set",
            subject=options["username"] or getpass.getuser(),
            detail={"by": "manage.py changepassword"},
        )
        return said
