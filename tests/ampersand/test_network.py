import httpcore
import pytest

from ampersand.network import _Stream, deadline


class Recording(httpcore.NetworkStream):
    """Notes the time-out that each call was given."""

    def __init__(self):
        self.timeouts = []

    def read(self, max_bytes, timeout=None):
        self.timeouts.append(timeout)
        return b""

    def write(self, buffer, timeout=None):
        self.timeouts.append(timeout)


@pytest.mark.parametrize("timeout", [900, None])
def test_no_wait_is_longer_than_what_is_left_until_the_deadline(timeout):
    inner = Recording()
    stream = _Stream(inner)
    with deadline(60):
        stream.read(1, timeout)
        stream.write(b"x" * 200_000, timeout)
    assert len(inner.timeouts) == 5
    assert all(0 < given <= 60 for given in inner.timeouts)


def test_a_shorter_time_out_and_no_deadline_stay_as_they_are():
    inner = Recording()
    with deadline(60):
        _Stream(inner).read(1, 5)
    _Stream(inner).read(1, None)
    assert inner.timeouts == [5, None]


def test_nothing_is_tried_after_the_deadline():
    inner = Recording()
    with deadline(-1):
        with pytest.raises(httpcore.ReadTimeout):
            _Stream(inner).read(1, 5)
        with pytest.raises(httpcore.WriteTimeout):
            _Stream(inner).write(b"x", 5)
    assert inner.timeouts == []
