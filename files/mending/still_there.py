"""What of the faults that reading told still goes out as it came."""

from bisect import bisect_right

from files.findings import Finding, IsThere
from files.mending.recipes import Recipe
from files.mending.ways import turns
from files.quoting import INNER_QUOTES


def still_there(recipe: Recipe) -> IsThere:
    """Return what tells whether a fault of the file as read is one of what is sent.

    It is none any more where its row is not sent, its column is left out, or its cell
    was written anew. A fault of the whole file, or of the header, always is one.
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
        return is_sent and (finding.row, finding.column) not in recipe.cells

    return is_there
