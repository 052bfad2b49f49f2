"""Say that a back-up was restored: nothing leaves by itself that may have left."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.actor import Actor
from console.health import pulse
from console.health.pulse import Doubt
from console.models import Pulse
from console.runtime import db_clock
from writes.actions.hold_restored import hold_for

LONGEST = 100


class Command(BaseCommand):
    """`manage.py restored --by "Your name"`, before the processes are started."""

    help = (
        "After a back-up was restored: freeze every environment, hold what waits for a "
        "person's decision, and tell nobody again of what was told."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by", default="the command line", help="your name, for everybody to read"
        )
        parser.add_argument(
            "--of", default="", help="which back-up it is, for everybody to read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was done, and how to go on."""
        which = options["of"].strip()
        if len(which) > LONGEST:
            raise CommandError(f"Nothing was changed. Say it in {LONGEST} characters.")
        actor = Actor(name=options["by"][:150])
        doubt = Doubt(_why(actor.name, which), is_certain=True)
        held = hold_for(doubt, actor)
        pulse.beat(db_clock.now(), over=doubt)
        frozen = ", ".join(held.environments) or "none: they were frozen already"
        self.stdout.write(
            f"Frozen now: {frozen}.\n"
            f"Writes held for a person to decide: {held.writes:,}.\n"
            f"Notices that are not sent again: {held.notices:,}.\n"
            "Next: manage.py audit verify --restored, then start the processes. Home "
            "lists what is held. Unfreeze an environment under Connections, "
            "Environments once somebody has looked."
        )


def _why(name: str, which: str) -> str:
    last = Pulse.objects.first()
    when = f", last in use on {pulse.in_words(last.at)}" if last else ""
    of = f" ({which})" if which else ""
    return f"{name[:60]} restored a back-up{of}{when}: it lacks what was sent since."
