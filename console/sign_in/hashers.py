"""How passwords are kept."""

from django.contrib.auth import hashers


class Argon2PasswordHasher(hashers.Argon2PasswordHasher):
    """Argon2id with 19 MiB and three passes: docs/decisions/access.md says why.

    Django's own takes 100 MiB, which eight people who sign in at once would take eight
    times.
    """

    time_cost = 3
    memory_cost = 19 * 1024
    parallelism = 1
