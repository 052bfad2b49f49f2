"""The key is looked for wherever an error or a log line could carry it."""

import logging
import pickle
import traceback

import httpx
import pytest

from tests.ampersand.helpers import (
    KEY,
    WRITTEN,
    Loopback,
    Reading,
    answering,
    ask,
    create,
    failure,
    http_answer,
    make_client,
    raising,
)

FAILURES = {
    "not sent": raising(httpx.ConnectError, OSError(KEY)),
    "timed out": raising(httpx.ReadTimeout, OSError(KEY)),
    "surprised": raising(ValueError, OSError(KEY)),
    "refused": answering(400, text=f"bad key {KEY}"),
    "failed": answering(500, json={"detail": KEY, "issues": [{"detail": KEY}]}),
    "redirected": answering(302, headers={"Location": f"https://evil.example/{KEY}"}),
    "misdirected": answering(302, headers={"Location": f"https://[{KEY}/"}),
    "unreadable": answering(200, text=f'{{"{KEY}'),
    "unproven": answering(200, json=[{KEY: KEY}]),
    "odd headers": answering(429, headers={"Retry-After": KEY, "X-Request-Id": KEY}),
}


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize(
    ("make", "call"), [(make_client, create), (make_client, ask), (Reading, ask)]
)
def test_the_key_is_in_no_error_no_traceback_and_no_log(caplog, name, make, call):
    caplog.set_level(logging.DEBUG)
    client = make(FAILURES[name], sleep=lambda seconds: None)
    error = failure(client, call)
    assert error.__cause__ is None
    assert error.__context__ is None
    logging.error("failed: %r", error, exc_info=error)
    # As Django's debug page does, with the variables of every frame.
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    ours = [frame.locals for frame in trace.stack if "/tests/" not in frame.filename]
    copied = pickle.loads(pickle.dumps(error))  # noqa: S301
    shown = f"{error} {error!r} {vars(error)} {error.args} {ours} {copied!r} {copied}"
    assert copied.detail == error.detail
    assert len(ours) > 1
    assert KEY not in shown
    assert "Traceback" in caplog.text
    assert KEY not in caplog.text


def test_the_key_is_in_no_debug_log_of_the_libraries_either(caplog):
    def answer(connection, number):
        connection.sendall(http_answer(b'{"result": {"success": true}}'))
        return False

    for name in ("httpx", "httpcore", "ampersand"):
        caplog.set_level(logging.DEBUG, logger=name)
    with Loopback(answer) as server, make_client(write_url=server.url) as client:
        create(client)
    assert "send_request_headers" in caplog.text
    assert KEY not in caplog.text


def test_the_libraries_log_nothing_below_a_warning_by_themselves(caplog):
    caplog.set_level(logging.DEBUG)
    with make_client(answering(200, json=WRITTEN)) as client:
        create(client)
    assert [record.name for record in caplog.records] == ["ampersand"]
