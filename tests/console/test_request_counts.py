"""Counts of requests: processes that are forked from one add up to one sum."""

import os

from console.web import request_counts
from console.web.request_counts import count, counted, take_row


def test_what_a_forked_process_counts_is_counted_here_and_outlives_it() -> None:
    before, times, seconds = counted()
    child = os.fork()
    if child == 0:
        take_row(7)
        count(503, 0.3)
        count(204, 99)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    count(200, 0.01)
    after, now, total = counted()
    more = {status: after[status] - before[status] for status in after}
    assert more == {"1xx": 0, "2xx": 2, "3xx": 0, "4xx": 0, "5xx": 1}
    grown = [b - a for a, b in zip(times, now, strict=True)]
    # Within 50 ms, within half a second, and longer than all.
    assert grown == [1, 0, 0, 1, 0, 0, 0, 0, 1]
    assert round(total - seconds, 2) == 99.31
    assert request_counts._mine == 0
