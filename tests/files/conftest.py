"""What the tests of files share."""

from collections.abc import Iterator

import pytest

from tests.files.remote_web import Reply, Web, served


@pytest.fixture
def web() -> Iterator[Web]:
    with served() as web:
        web.replies["*"] = Reply()
        yield web
