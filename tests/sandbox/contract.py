"""What the sandbox says and is told, held against Ampersand's OpenAPI documents.

The documents are those of tests/contract: facts that scripts/reduce_contract.py took
from the published ones.
"""

import json
from functools import cache
from pathlib import Path
from urllib.parse import parse_qsl

import httpx
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

FOLDER = Path(__file__).resolve().parents[1] / "contract"
PROBLEM = "application/problem+json"
# Below these addresses is what the documents of generations B and C are about.
OF_B = "/v1/projects/demo-b"
OF_C = ("/v1/projects/demo-c", "/v1/providers/")
UPLOAD_URL = "/v1/generate-upload-url"


@cache
def document(name: str) -> OpenAPI:
    """Return one of the documents, ready to validate with."""
    facts = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    config = Config(extra_media_type_deserializers={PROBLEM: json.loads})
    return OpenAPI.from_dict(facts, config=config)


def document_of(request: httpx.Request) -> str:
    """Return the name of the document that a request belongs to."""
    path = request.url.path
    if path == UPLOAD_URL or (path.startswith(OF_B) and request.method == "POST"):
        return "write-2024"
    return "write-current" if request.method == "POST" else "platform-current"


def validate(request: httpx.Request, response: httpx.Response) -> None:
    """Raise an OpenAPIError where an exchange is not what the document says.

    What was answered with success was a valid request, too.
    """
    openapi = document(document_of(request))
    server = next(iter(openapi.spec["servers"]))["url"]
    sent = MockRequest(
        server.removesuffix("/v1"),
        request.method.lower(),
        request.url.path,
        args=dict(parse_qsl(request.url.query.decode())),
        data=request.content or None,
        content_type=request.headers.get("content-type", "application/json"),
    )
    if response.is_success:
        openapi.validate_request(sent)
    content_type = response.headers["content-type"].partition(";")[0]
    told = MockResponse(
        response.content, status_code=response.status_code, content_type=content_type
    )
    openapi.validate_response(sent, told)


class Validating(httpx.BaseTransport):
    """Passes requests on, and validates what is of generation B or C."""

    def __init__(self, inner: httpx.BaseTransport) -> None:
        self._inner = inner

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        response = self._inner.handle_request(request)
        response.read()
        # No other method has a document: it is refused with 405. Nor has a search.
        is_search = request.method == "POST" and "/objects/" not in request.url.path
        is_told = request.method in ("GET", "POST") and not is_search
        if request.url.path.startswith((OF_B, UPLOAD_URL, *OF_C)) and is_told:
            validate(request, response)
        return response
