"""What of the faults that reading told still goes out as it came."""

from bisect import bisect_right

from files.findings import Finding, IsThere
from files.mending.recipes import Recipe
from files.mending.ways import turns
from files.quoting import INNER_QUOTES
from files.values.rules import NULL


def still_there(recipe: Recipe) -> IsThere:
    """Return what tells whether a fault of the file as read is one of what is sent.

    It is none any more where its row is not sent, its column is left out, its cell was
    written anew, or is an error that its column sends something else for. A fault of
    the whole file, or of the header, always is one.
    """
    turning = list(turns(recipe))
    rows = [row for row, _ in turning]
    left_out = {name for name, column in recipe.columns.items() if not column.name}

    def is_there(finding: Finding) -> bool:
        if finding.column in left_out:
            return False
        if finding.rule == INNER_QUOTES and recipe.quotes:
            return False
        if finding.row is None or finding.row < 2:
            return True
        turn = bisect_right(rows, finding.row)
        is_sent = turn > 0 and turning[turn - 1][1] == "send"
        if finding.rule == "cell-error" and _is_replaced(recipe, finding):
            return False
        return is_sent and (finding.row, finding.column) not in recipe.cells

    return is_there


def _is_replaced(recipe: Recipe, finding: Finding) -> bool:
    """Whether something else goes out for an error; #N/A already is what clears."""
    column = recipe.columns.get(finding.column or "")
    if column is None:
        return False
    if finding.value in dict(column.replaced):
        return True
    if finding.value == NULL and column.null_to_blank:
        return True
    if not column.placeholders:
        return False
    return column.placeholders == "null" or finding.value != NULL
