"""What a request may be at most, where its address takes no file."""

# As much as Django keeps in memory of a form; gunicorn's worker waits for all of it.
SMALL_BODY = 2_621_440
