"""What is told of the rows above a header that is not in the first row."""

from files.changes import Change, counted


def left_above(begin: int) -> Change:
    """Return what is told of the rows above the header."""
    rows = counted(begin - 1, "row")
    verb = "is" if begin == 2 else "are"  # noqa: PLR2004
    what = (
        f"{rows} above the header {verb} not sent: row 1 here is row {begin:,} of the "
        "file as uploaded."
    )
    return Change(what, begin - 1)


def no_header(begin: int) -> str:
    """Return what is told where there is no such row."""
    return (
        f"The file has no row {begin:,} for the header. Change the header row under "
        "Reading options."
    )
