"""Count all days again that the plots and the report show."""

import math
from typing import Any

from django.core.management.base import BaseCommand

from operations.models import RollupMark
from operations.worker.count_days import count_marked, mark_all


class Command(BaseCommand):
    """`manage.py rollups`: needed only where rows were changed past the console."""

    help = "Count all days again for the plots and the report."

    def handle(self, *args: Any, **options: Any) -> None:
        """Give every day a mark, and count until none is left or another counts."""
        days = mark_all()
        counted = 0
        while more := count_marked(seconds=math.inf):
            counted += more
        left = RollupMark.objects.exists()
        rest = " A clock counts the others." if left else ""
        self.stdout.write(f"{days:,} days; {counted:,} counted here.{rest}")
