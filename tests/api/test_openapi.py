"""The document says what the API does: schemathesis asks by it, over WSGI."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase
from schemathesis import Case
from schemathesis.generation import GenerationMode

from tests.api.conftest import Ask
from tests.conftest import make_token
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

# What it asks is the same each time, and so much of each address.
EXAMPLES = 30


@pytest.fixture
def described(sent: Write, settings: Any) -> Any:
    """The document as it is served, with all that it is about."""
    settings.API_PER_MINUTE = 100_000
    schema = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", get_wsgi_application(), headers={"Host": "testserver"}
    )
    schema.config.generation.update(modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
    return schema


api = schemathesis.pytest.from_fixture("described")


@api.parametrize()
@hypothesis.settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_it_answers_as_the_document_says(case: Case, vera: User, ask: Ask) -> None:
    case.call_and_validate(
        headers={"Authorization": f"Bearer {make_token(vera)}", "Host": "testserver"}
    )
