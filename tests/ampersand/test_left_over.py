"""A broken proxy sends its last answer once more: nobody takes it for their own."""

import json

import pytest

from ampersand import OutcomeUnknown, Refused
from tests.ampersand.helpers import (
    WRITTEN,
    Loopback,
    Reading,
    ask,
    create,
    failure,
    http_answer,
    make_client,
    upsert,
)

NOT_FOUND = b'HTTP/1.1 404 Not Found\r\nContent-Length: 20\r\n\r\n{"detail": "no one"}'


def no_pause(seconds):
    pass


def answer(body):
    return http_answer(json.dumps(body).encode())


def repeating(first, *later):
    """A server that gives its first answer twice, and then those that follow."""

    def behave(connection, number):
        connection.sendall(first * 2 if number == 1 else later[number - 2])
        return True

    return Loopback(behave)


@pytest.mark.parametrize("write", [create, upsert])
def test_the_next_write_takes_no_answer_but_its_own(write):
    first = answer({**WRITTEN, "operationId": "op"})
    with repeating(first, NOT_FOUND) as server:
        client = make_client(write_url=server.url)
        with client:
            write(client)
            with pytest.raises(Refused):
                write(client)
    assert len(server.requests) == 2


def read_log(client, operation_id):
    asked = {"project": "p1", "operation_id": operation_id}
    return [entry.text for entry in client.list_operation_logs(**asked)]


@pytest.mark.parametrize("make", [make_client, Reading])
def test_a_log_is_that_of_the_operation_that_was_asked_for(make):
    logs = [answer([{"message": {"msg": name}}]) for name in ("first", "second")]
    with (
        repeating(*logs) as server,
        make(api_url=server.url, sleep=no_pause) as client,
    ):
        assert read_log(client, "op-1") == ["first"]
        assert read_log(client, "op-2") == ["second"]


@pytest.mark.parametrize("make", [make_client, Reading])
def test_an_operation_is_the_one_that_was_asked_for(make):
    states = [answer({"id": name, "status": "success"}) for name in ("OP", "op-2")]
    with (
        repeating(*states, states[1], states[1]) as server,
        make(api_url=server.url, sleep=no_pause) as client,
    ):
        assert ask(client).id == "OP"
        asked = client.get_operation(project="p1", operation_id="op-2")
    assert asked.id == "op-2"


@pytest.mark.parametrize("make", [make_client, Reading])
@pytest.mark.parametrize("body", [{"id": "another"}, {"status": "success"}])
def test_another_operation_is_no_answer(make, body):
    with repeating(*[answer(body)] * 3) as server:
        caught = failure(make(api_url=server.url, sleep=no_pause), ask)
    assert isinstance(caught, OutcomeUnknown)
