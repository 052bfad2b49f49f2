"""The former name of `manage.py audit verify`: what runs daily by it goes on."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.management.commands.audit import (
    VERIFY_HELP,
    add_verify_arguments,
    verify,
)


class Command(BaseCommand):
    """`manage.py audit_verify`."""

    help = VERIFY_HELP

    def add_arguments(self, parser: CommandParser) -> None:
        add_verify_arguments(parser)

    def handle(self, *args: Any, **options: Any) -> None:
        verify(self.stdout, restored=options["restored"], clock=options["clock"])
