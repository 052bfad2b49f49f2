"""Which rows of a file a recipe takes out, and so what the others were before."""

from files.mending.origin import Origin
from files.mending.recipes import Recipe


def origin_of(recipe: Recipe) -> Origin:
    """Return what turns rows as sent into rows as read; it knows nothing of lines."""
    taken_out = recipe.ranges()
    if recipe.skip_first:
        skipped = Recipe(left_out=((2, 1 + recipe.skip_first), *taken_out))
        taken_out = skipped.ranges()
    origin = Origin()
    shift = 0
    for first, last in taken_out:
        at = first - shift
        shift += last - first + 1
        origin.shift(at, rows=shift, lines=0)
    return origin
