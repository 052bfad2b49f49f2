"""The generations of the API that this client speaks."""

from ampersand import generation_a
from ampersand.errors import RequestInvalid
from ampersand.generation import Generation

GENERATIONS: dict[str, Generation] = {"A": generation_a}


def generation_for(name: str) -> Generation:
    """Return the generation called `name`. Raises: RequestInvalid for another word."""
    if name not in GENERATIONS:
        raise RequestInvalid(f"There is no generation “{name}”.")
    return GENERATIONS[name]
