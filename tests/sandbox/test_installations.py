"""Who installed an integration, and which fields its objects have."""

import pytest

from tests.sandbox.support import GROUP, Console

INTEGRATION = "/v1/projects/demo-c/integrations/salesforce"


@pytest.fixture
def console() -> Console:
    return Console()


def test_installations_tell_health_objects_and_deletion(console: Console) -> None:
    told = console.http.get(f"{INTEGRATION}/installations").json()
    found = {each["group"]["groupRef"]: each for each in told}
    assert {each["healthStatus"] for each in told} == {"healthy", "unhealthy"}
    objects = found[GROUP]["config"]["content"]["write"]["objects"]
    assert objects["contact"]["deletionSettings"]["enabled"]
    assert not objects["account"]["deletionSettings"]["enabled"]
    one = console.http.get(f"{INTEGRATION}/installations?groupRef={GROUP}").json()
    assert one == [found[GROUP]]
    none = console.http.get(f"{INTEGRATION}/installations?groupRef=nobody").json()
    assert none == []


def test_a_provider_tells_how_many_records_a_batch_takes(console: Console) -> None:
    told = console.http.get("/v1/providers/hubspot").json()
    support = told["modules"][told["defaultModule"]]["support"]
    assert support["batchWrite"]["create"]["defaultRecordLimit"] == 100
    one = console.http.get("/v1/providers/pipedrive").json()
    assert "batchWrite" not in one["support"]
    assert console.http.get("/v1/providers/nope").status_code == 404


def test_metadata_tell_types_and_what_is_required(console: Console) -> None:
    path = f"{INTEGRATION}/objects/contact/metadata?groupRef={GROUP}"
    fields = console.http.get(path).json()["fields"]
    assert fields["lastname"]["isRequired"]
    assert fields["birthdate"]["valueType"] == "date"
    assert fields["createddate"]["readOnly"]
    assert {"value": "Dr.", "displayValue": "Dr."} in fields["salutation"]["values"]


@pytest.mark.parametrize("path", ["nope/metadata?groupRef=x", "contact/metadata"])
def test_metadata_of_nothing_is_a_404(console: Console, path: str) -> None:
    assert console.http.get(f"{INTEGRATION}/objects/{path}").status_code == 404


def test_the_operations_of_a_customer_come_in_pages(console: Console) -> None:
    write = {"groupRef": GROUP, "type": "create", "record": {"LastName": "x"}}
    made = [
        console.http.post(f"{INTEGRATION}/objects/contact", json=write).json()
        for _ in range(5)
    ]
    one = console.http.get(f"{INTEGRATION}/installations?groupRef={GROUP}").json()
    path = f"{INTEGRATION}/installations/{one[0]['id']}/operations"
    found, token = [], ""
    for _ in range(3):
        page = console.http.get(f"{path}?pageSize=2&pageToken={token or 0}").json()
        found += [each["id"] for each in page["results"]]
        token = page["pagination"].get("nextPageToken", "")
    assert sorted(found) == sorted(each["operationId"] for each in made)
    assert not token
    assert console.http.get(path.replace(one[0]["id"], "nobody")).status_code == 404
