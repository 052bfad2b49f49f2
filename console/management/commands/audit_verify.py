"""Prove that no row of the audit trail was changed or removed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from console.models import AuditEvent


class Command(BaseCommand):
    """`manage.py audit_verify`: walk the hash chain from its beginning."""

    help = "Check the hash chain of the audit trail; exit 1 at the first broken row."

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the number of rows and the last hash, or the first broken row."""
        broken = AuditEvent.objects.first_broken()
        if broken:
            raise CommandError(
                f"The chain breaks at row {broken.pk}, {broken.at:%Y-%m-%d %H:%M:%S} "
                f"UTC, “{broken}”: it was changed, or the row before it was changed or "
                "removed."
            )
        last = AuditEvent.objects.newest_first().first()
        count = AuditEvent.objects.count()
        self.stdout.write(f"{count:,} rows, unbroken.")
        if last:
            # Kept elsewhere, it shows later that no rows were cut off at the end.
            self.stdout.write(f"Last row: {last.pk}, hash {last.hash}")
