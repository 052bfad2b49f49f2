"""Stop all sending of an environment, from a shell."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from console import freeze
from console.actor import Actor
from console.environments import Environment
from console.models import EnvironmentControl

LONGEST = 200


class Command(BaseCommand):
    """`manage.py freeze production --reason "…"`, and `--off` to let it go on."""

    help = "Stop all sending of an environment at once; --off lets it go on."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("environment", choices=Environment.values)
        parser.add_argument("--reason", default="", help="why, for everybody to read")
        parser.add_argument("--off", action="store_true", help="end the freeze")
        parser.add_argument(
            "--by", default="the command line", help="your name, for everybody to read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was done, and what it means for what is confirmed."""
        control = EnvironmentControl.objects.of(options["environment"])
        actor = Actor(name=options["by"][:150])
        if options["off"]:
            self._unfreeze(control, actor)
        else:
            self._freeze(control, actor, options["reason"].strip())

    def _freeze(self, control: EnvironmentControl, actor: Actor, reason: str) -> None:
        if not reason:
            raise CommandError("Nothing was changed. Say why: --reason “…”.")
        if len(reason) > LONGEST:
            raise CommandError(f"Nothing was changed. Say it in {LONGEST} characters.")
        if freeze.freeze(control, actor, reason=reason):
            self.stdout.write(
                f"{control} is frozen. What is confirmed waits; what had left before "
                "finishes."
            )
        else:
            self.stdout.write(f"{control} was frozen already; that stays.")

    def _unfreeze(self, control: EnvironmentControl, actor: Actor) -> None:
        if freeze.unfreeze(control, actor):
            self.stdout.write(f"{control} sends again. What waited goes out now.")
        else:
            self.stdout.write(f"{control} was not frozen; nothing was changed.")
