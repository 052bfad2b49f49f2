"""Django's entry for the app that observes."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    """What became of each request to Ampersand, and its log entries."""

    name = "operations"
