"""Small files that would make much work: what an admin uploads, and a record in JSON.

Each is refused by a number that the message names, before the work is done. What has no
such number is read in time that grows with its length: a test of that would not end.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse

from console.access.roles import Role
from console.connections import manifest as manifests
from console.connections.manifest import ManifestInvalid, read_manifest
from console.connections.manifest_import import plan
from console.models import AuditEvent, Integration, Project, WriteObject
from files.fields import invalid_fields as limits
from files.fields.describe import MOST_JSON_VALUES, from_describe
from files.fields.field_lists import InvalidFields, from_lines
from tests.texts import numbers
from writes.forms.record_fields import MOST_VALUES, InvalidRecord, record_from_json

BEGIN = b"specVersion: 1.0.0\nintegrations:\n"
WRITE = b"  - name: s%d\n    provider: salesforce\n    write: {objects: ["


def with_objects(count: int, integrations: int = 1) -> bytes:
    """Return an amp.yaml with so many objects in each of its integrations."""
    objects = b",".join(b"{objectName: o%d}" % n for n in range(count))
    return BEGIN + b"".join(WRITE % n + objects + b"]}\n" for n in range(integrations))


def refused_manifest(content: bytes) -> str:
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(content)
    return str(caught.value)


# --- amp.yaml ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "most"),
    [
        (with_objects(manifests.MOST_OBJECTS + 1), manifests.MOST_OBJECTS),
        (with_objects(15_000), manifests.MOST_OBJECTS),
        (with_objects(manifests.MOST_OBJECTS // 2 + 1, 2), manifests.MOST_OBJECTS),
        (with_objects(1, 900), manifests.MOST_INTEGRATIONS),
        (BEGIN + b"  - {name: a}\n" * 10_000, manifests.MOST_INTEGRATIONS),
        (BEGIN + WRITE % 1 + b"{}," * 90_000 + b"]}\n", manifests.MOST_VALUES),
        (b"a: [" + b"[]," * 300_000 + b"]\n", manifests.MOST_VALUES),
        (b"".join(b"k%d: \n" % n for n in range(80_000)), manifests.MOST_VALUES),
        (b"a: [" + b"&a x," * 150_000 + b"]\n", manifests.MOST_VALUES),
        (b"- " * 400_000, manifests.DEEPEST),
        (b"[" * 60 + b"]" * 60, manifests.DEEPEST),
        (
            b"".join(b"%%TAG !a%d! t:\n" % n for n in range(60_000)) + b"---\na: b\n",
            manifests.MOST_DIRECTIVES,
        ),
    ],
)
def test_an_amp_yaml_is_refused_by_a_number_that_it_names(
    content: bytes, most: int
) -> None:
    assert most in numbers(refused_manifest(content))


def test_the_most_objects_are_taken() -> None:
    (one,) = read_manifest(with_objects(manifests.MOST_OBJECTS)).integrations
    assert len(one.objects) == manifests.MOST_OBJECTS


@pytest.mark.parametrize("alias", [b"[&a [x, x], *a, *a]", b"{<<: *b}", b"*c"])
def test_an_alias_is_refused_however_small(alias: bytes) -> None:
    assert "*" in refused_manifest(BEGIN + b"  - " + alias + b"\n")


def test_warnings_are_counted_rather_than_listed_without_end() -> None:
    keys = b", ".join(b"k%d: x" % n for n in range(10_000))
    manifest = read_manifest(BEGIN + b"  - {name: a, " + keys + b"}\n")
    assert len(manifest.warnings) <= manifests.MOST_WARNINGS + 1
    # Two more are about its provider and what it does not write.
    rest = 10_000 - manifests.MOST_WARNINGS
    assert any(rest <= n <= rest + 2 for n in numbers(manifest.warnings[-1]))


@pytest.mark.django_db
def test_the_plan_of_many_objects_is_the_same(project: Project) -> None:
    integration = project.integrations.get()
    names = [f"o{n}" for n in range(0, manifests.MOST_OBJECTS, 2)]
    WriteObject.objects.bulk_create(
        WriteObject(integration=integration, name=name) for name in names
    )
    content = with_objects(manifests.MOST_OBJECTS).replace(b"s0", b"salesforce")
    (step,) = plan(project, read_manifest(content))
    assert set(step.kept_objects) == set(names)
    assert len(step.new_objects) == manifests.MOST_OBJECTS - len(names)
    assert "contact" in step.only_here


@pytest.mark.django_db
@pytest.mark.parametrize("step", ["upload", "apply"])
def test_the_page_refuses_what_the_reader_refuses(
    step: str, project: Project, sign_in: Callable[..., Browser]
) -> None:
    browser, content = sign_in(Role.ADMIN), with_objects(15_000)
    if step == "upload":
        data: dict[str, Any] = {"file": SimpleUploadedFile("amp.yaml", content)}
        answer = browser.post(reverse("connections:manifest", args=[project.pk]), data)
    else:
        url = reverse("connections:manifest_apply", args=[project.pk])
        answer = browser.post(url, {"text": content.decode()})
    assert answer.status_code == 422
    assert manifests.MOST_OBJECTS in numbers(answer.text)
    assert not WriteObject.objects.filter(name="o1").exists()
    assert not AuditEvent.objects.filter(action="project.manifest_applied").exists()


# --- Field lists ---------------------------------------------------------------------


def describe(*fields: dict[str, Any]) -> str:
    return json.dumps({"name": "Contact", "fields": fields})


def refused_fields(read: Callable[[str], Any], text: str) -> str:
    with pytest.raises(InvalidFields) as caught:
        read(text)
    return "\n".join(caught.value.problems)


MANY = [{"name": f"f{n}__c"} for n in range(60_000)]
VALUES = [{"value": f"v{n}"} for n in range(60_000)]


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (describe(*MANY), limits.MOST_FIELDS),
        (describe(*MANY[: limits.MOST_FIELDS + 1]), limits.MOST_FIELDS),
        (
            describe({"name": "a", "type": "picklist", "picklistValues": VALUES}),
            limits.MOST_VALUES,
        ),
        (
            describe({"name": "a", "type": "reference", "referenceTo": ["b"] * 60_000}),
            limits.MOST_VALUES,
        ),
        (
            describe(*({"name": f"f{n}", "label": "x" * 9_000} for n in range(999))),
            limits.MOST_CHARACTERS,
        ),
        ('{"fields":[' + "[]," * 2_000_000 + "[]]}", MOST_JSON_VALUES),
        ('{"fields":[' + '{"a":{}},' * 600_000 + "{}]}", MOST_JSON_VALUES),
    ],
)
def test_a_describe_is_refused_by_a_number_that_it_names(text: str, most: int) -> None:
    assert most in numbers(refused_fields(from_describe, text))


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("[" * 200_000, "nested"),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, "nested"),
        ("9" * 100_000, "digits"),
        ("-" + "1" * 5_000, "digits"),
    ],
)
def test_what_json_cannot_be_read_for_is_said(value: str, word: str) -> None:
    assert word in refused_fields(from_describe, '{"fields":' + value + "}")


@pytest.mark.parametrize(
    ("text", "most"),
    [
        ("".join(f"f{n}\n" for n in range(60_000)), limits.MOST_FIELDS),
        ("=\n" * 60_000, limits.MOST_FIELDS),
        ("a: picklist = " + "b|" * 60_000, limits.MOST_VALUES),
        ("a: reference:" + ",".join(["b"] * 60_000), limits.MOST_VALUES),
        ('a "' + "x" * limits.MOST_CHARACTERS + '"', limits.MOST_CHARACTERS),
    ],
)
def test_lines_are_refused_by_a_number_that_it_names(text: str, most: int) -> None:
    assert most in numbers(refused_fields(from_lines, text))


@pytest.mark.parametrize(
    "line",
    [
        "a" + " " * 400_000 + 'b!"',
        "a" + "\t " * 200_000 + "b: x: y",
        "a: string" + " " * 400_000 + "!",
        "a: string" + " b" * 200_000 + "!",
        'a "' + '\\"' * 200_000,
        "a " * 200_000 + '"',
    ],
)
def test_a_long_line_is_read_in_a_time_that_grows_with_its_length(line: str) -> None:
    assert refused_fields(from_lines, line)


@pytest.mark.django_db
def test_the_page_of_a_describe_keeps_the_fields_that_were_there(
    integration: Integration, sign_in: Callable[..., Browser]
) -> None:
    row = integration.write_objects.get(name="contact")
    file = SimpleUploadedFile("contact.json", describe(*MANY).encode())
    url = reverse("connections:fields_import", args=[row.pk])
    answer = sign_in(Role.ADMIN).post(url, {"file": file})
    assert answer.status_code == 422
    assert limits.MOST_FIELDS in numbers(answer.text)
    row.refresh_from_db()
    assert row.fields == []


# --- A record in JSON ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"a":' + "[" * 500_000 + "}", "too-deep"),
        ('{"a":' + "[" * 60 + "]" * 60 + "}", "too-deep"),
        ('{"a":' + "1" * 1_000_000 + "}", "too-long"),
        ('{"a":1e' + "9" * 5_000 + "}", "too-long"),
        (json.dumps({f"f{n}": 1 for n in range(200_000)}), "too-many"),
        ('{"a":[' + "[]," * 700_000 + "[]]}", "too-many"),
        (json.dumps({"a": [{"b": 1}] * (MOST_VALUES // 2)}), "too-many"),
    ],
)
def test_a_record_is_refused_by_what_is_too_much(text: str, code: str) -> None:
    with pytest.raises(InvalidRecord) as caught:
        record_from_json(text)
    assert caught.value.code == code
    if code == "too-many":
        assert MOST_VALUES in numbers(str(caught.value))


def test_a_large_record_is_taken() -> None:
    record = {f"f{n}": n for n in range(1_000)}
    assert record_from_json(json.dumps(record)) == record
