"""Make the demo workspace."""

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from console.connections.demo import (
    FAULTS,
    SINCE_APRIL,
    TODAY,
    USER,
    given_password,
    make_demo,
    needs_password,
)
from console.settings import env


class Command(BaseCommand):
    """`manage.py demo`: a user and projects that speak to the local sandbox."""

    help = "Make the demo workspace; a second run changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        """Both come from the environment unless given, as `manage.py run` sets it."""
        parser.add_argument("--password", help="of the user “operator”")
        parser.add_argument(
            "--port",
            type=int,
            default=env.number("SANDBOX_PORT", default=8900, least=1, most=65_535),
            help="of the sandbox",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how to sign in. A password is invented when a new user is given none.

        Whichever it is, it has to be changed at the first sign-in: others may reach an
        installation that is not started by `manage.py run`.
        """
        password = options["password"] or given_password()
        invented = ""
        if not password and needs_password():
            password = invented = secrets.token_urlsafe(9)
        project = make_demo(password=password, port=options["port"], is_first=True)
        projects = f"{project}, {SINCE_APRIL}, {TODAY} and {FAULTS}"
        self.stdout.write(f"Projects {projects} speak to {project.write_url}.")
        known = f"password {invented}" if invented else "the password you know"
        self.stdout.write(f"Sign in as {USER} with {known}.")
