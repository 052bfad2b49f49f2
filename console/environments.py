"""The three kinds of place that can be written to."""

from django.db import models


class Environment(models.TextChoices):
    """How much harm a wrong write does; roles are granted in each."""

    SANDBOX = "sandbox", "Sandbox"
    TEST = "test", "Test"
    PRODUCTION = "production", "Production"
