"""The document says what the API does: schemathesis asks by it, over WSGI."""

from typing import Any

import hypothesis
import pytest
import schemathesis
from django.contrib.auth.models import User
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.api.conftest import V1, Ask
from tests.conftest import make_token
from writes.models import Write

pytestmark = [pytest.mark.pages, pytest.mark.django_db]

ADDRESSES = [
    *("operations", "operations/{pk}", "operations/{pk}/logs"),
    *("writes", "writes/{pk}", "writes/{pk}/rows", "audit"),
]
# What fits the schema and is refused all the same: a project that is not there, a
# period or a size that ends before it begins, a year long ago, a page with two ends.
NOT_BY_SCHEMA = {"from", "rows_max", "project", "integration", "to", "after"}
# The same ones each time, so many for each address and mode.
bounded = hypothesis.settings(
    max_examples=20,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def described(settings: Any) -> Any:
    """The document as it is served, for schemathesis."""
    settings.API_PER_MINUTE = 100_000
    return schemathesis.openapi.from_wsgi(
        f"{V1}openapi.json", get_wsgi_application(), headers={"Host": "testserver"}
    )


def test_the_document_names_every_address(described: Any) -> None:
    assert list(described.raw_schema["paths"]) == [V1 + name for name in ADDRESSES]


def test_every_status_of_the_api_is_described(described: Any) -> None:
    told = {"200", "400", "401", "403", "404", "429", "503"}
    for path, methods in described.raw_schema["paths"].items():
        expected = told if "{" in path else told - {"404"}
        assert set(methods["get"]["responses"]) == expected, path


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_it_answers_as_the_document_says(
    mode: GenerationMode, described: Any, sent: Write, vera: User
) -> None:
    headers = {"Authorization": f"Bearer {make_token(vera)}", "Host": "testserver"}
    seen = set()

    def ask_all(operation: Any) -> None:
        @bounded
        @given(case=operation.as_strategy(generation_mode=mode))
        def asked(case: Any) -> None:
            answer = case.call_and_validate(
                headers=headers, excluded_checks=[positive_data_acceptance]
            )
            seen.add(answer.status_code)
            if mode is GenerationMode.POSITIVE and answer.status_code == 400:
                wrong = {error["parameter"] for error in answer.json()["errors"]}
                assert wrong <= NOT_BY_SCHEMA, wrong

        asked()

    for name in ADDRESSES:
        ask_all(described[V1 + name]["GET"])
    assert seen >= ({200} if mode is GenerationMode.POSITIVE else {400})


def test_what_is_there_fits_its_schema(
    described: Any, sent: Write, vera: User, ask: Ask
) -> None:
    operation = sent.batches.get().operation_id
    for name in ADDRESSES:
        pk = operation if name.startswith("operations") else sent.pk
        case = described[V1 + name]["GET"].Case(path_parameters={"pk": pk})
        bearer = {"Authorization": f"Bearer {make_token(vera)}", "Host": "testserver"}
        assert case.call_and_validate(headers=bearer).status_code == 200, name
