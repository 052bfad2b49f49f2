"""Say that no process of the version before is left: what it added is taken over."""

from typing import Any

from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError, CommandParser

from console.actor import Actor
from console.health import audit_chain
from writes.models import Backlog


class Command(BaseCommand):
    """`manage.py upgraded --by "Your name"`, as the last step of an upgrade."""

    help = (
        "After an upgrade without a stop, once no process of the version before runs: "
        "take over what it added to the audit trail, and have its writes indexed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--by", default="the command line", help="your name, for everybody to read"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was done. Raises `CommandError` where the audit trail is broken."""
        try:
            events = audit_chain.adopt(Actor(name=options["by"][:150]))
        except ValueError as error:
            raise CommandError(f"Nothing was changed. {error}") from None
        if events:
            for kind in Backlog.Kind.values:
                Backlog.ask(kind)
        # Of version 0.1.0; those of later ones are kept elsewhere.
        Session.objects.all().delete()
        self.stdout.write(
            f"Events in the audit trail that were taken over: {events:,}.\n"
            + ("The clock indexes what came with them." if events else "Nothing to do.")
        )
