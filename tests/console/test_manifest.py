"""Reading amp.yaml, and adding what it declares."""

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client as Browser
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st

from console.access.roles import Role
from console.connections.manifest import LARGEST, ManifestInvalid, read_manifest
from console.models import AuditEvent, Integration, Project, WriteObject
from tests.answers import Shown, levels

GOOD = b"""specVersion: 1.0.0
integrations:
  - name: salesforce
    displayName: Salesforce
    provider: salesforce
    write:
      objects:
        - objectName: contact
        - objectName: quote
          inheritMapping: true
  - name: sales-cloud
    provider: salesforce
    read: {objects: []}
    write:
      objects: [{objectName: account}]
"""


def yaml(integrations: str, version: str = "1.0.0") -> bytes:
    """Return a manifest with this list of integrations, in flow style."""
    return f"specVersion: {version}\nintegrations: {integrations}\n".encode()


def test_a_good_file_has_no_warnings() -> None:
    manifest = read_manifest(GOOD)
    assert manifest.warnings == ()
    assert [(one.name, one.objects) for one in manifest.integrations] == [
        ("salesforce", ("contact", "quote")),
        ("sales-cloud", ("account",)),
    ]


def test_the_sandbox_file_is_warned_of_its_hubspot_alone() -> None:
    content = Path("sandbox/amp.yaml").read_bytes()
    (warning,) = read_manifest(content).warnings
    assert "Integration “hubspot”: CSV upserts" in warning


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (yaml("[]", "1.0"), "specVersion should be 1.0.0."),
        (b"integrations: []", "specVersion should be 1.0.0."),
        (yaml("[]") + b"extra: 1", "unknown key “extra”"),
        (yaml("[{provider: x}]"), "Integration 1 is left out"),
        (yaml("[7]"), "Integration 1 is left out"),
        (yaml('[{name: "a\\0b"}]'), "Integration 1 is left out"),
        (yaml("[{name: Big}]"), "lower-case letters"),
        (yaml("[{name: a}]"), "names no provider"),
        (yaml("[{name: a, provider: hubspot}]"), "provider salesforce only"),
        (yaml("[{name: a}]"), "has no action"),
        (yaml("[{name: a, read: {}}]"), "has no write section"),
        (yaml("[{name: a, colour: red}]"), "unknown key “colour”"),
        (yaml("[{name: a}, {name: a}]"), "“a” occurs twice"),
        (yaml("[{name: a, write: }]"), "write.objects is empty"),
        (yaml("[{name: a, write: {objects: []}}]"), "write.objects is empty"),
        (yaml("[{name: a, write: {mode: x}}]"), "unknown key “mode”"),
        (yaml("[{name: a, write: {objects: [{}]}}]"), "no usable objectName"),
        (
            yaml("[{name: a, write: {objects: [{objectName: o}, {objectName: o}]}}]"),
            "object “o” occurs 2 times",
        ),
        (
            yaml("[{name: a, write: {objects: [{objectName: o, kind: x}]}}]"),
            "unknown key “kind”",
        ),
        (yaml(f"[{{name: a, displayName: {'x' * 101}}}]"), "displayName is longer"),
    ],
)
def test_what_ampersand_objects_to_is_a_warning(content: bytes, words: str) -> None:
    assert any(words in text for text in read_manifest(content).warnings)


BOMB = (
    b"a: &a [x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n"
    b"integrations: *b\n"
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no “integrations” list"),
        (b"just text", "no “integrations” list"),
        (b"integrations: {}", "no “integrations” list"),
        (b"a: 1\nb: [1\nc: 2", "Line 3: this is not valid YAML"),
        (b"a: 1\n\tb: 2", "Line 2: this is not valid YAML"),
        (b"a: 1\n--- \nb: 2", "this is not valid YAML"),
        (b"? [a]\n: b", "this is not valid YAML"),
        (BOMB, "Line 2: write the value out."),
        (b"[" * 5000, "nested too deeply"),
        (b"x" * (LARGEST + 1), "larger than 1 MiB"),
        (b"\xff\xfea", "not text in UTF-8"),
        (b"a: \x07", "YAML"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(content: bytes, words: str) -> None:
    with pytest.raises(ManifestInvalid) as caught:
        read_manifest(content)
    assert words in str(caught.value)


PIECES = st.sampled_from(
    [
        *(
            "integrations:",
            "name:",
            "write:",
            "objects:",
            "objectName:",
            "specVersion:",
        ),
        *("\n", "\n  ", "\n    ", "- ", "{", "}", "[", "]", ": ", "&a ", "*a", "<<: "),
        *(
            "!!int ",
            "!!timestamp ",
            "!!python/name:os.system ",
            "'",
            '"',
            "|",
            "? ",
            "x",
        ),
    ]
)


@given(
    st.binary(max_size=200) | st.lists(PIECES, max_size=40).map("".join).map(str.encode)
)
@settings(max_examples=300, deadline=None)
def test_nothing_else_is_ever_raised(content: bytes) -> None:
    with contextlib.suppress(ManifestInvalid):
        assert all(one.name for one in read_manifest(content).integrations)


# --- The pages --------------------------------------------------------------------


@pytest.fixture
def admin(sign_in: Callable[..., Browser]) -> Browser:
    """A browser of somebody who may change connections."""
    return sign_in(Role.ADMIN)


def upload(browser: Browser, project: Project, content: bytes) -> tuple[int, str]:
    """Upload a file; return the status and the page."""
    address = reverse("connections:manifest", args=[project.pk])
    file = SimpleUploadedFile("amp.yaml", content)
    answer = browser.post(address, {"file": file})
    return answer.status_code, answer.content.decode()


def test_uploading_shows_what_would_be_added(admin: Browser, project: Project) -> None:
    before = (WriteObject.objects.count(), AuditEvent.objects.count())
    status, html = upload(admin, project, GOOD)
    assert status == 200
    for text in ("new integration", "new objects", "quote", 'id="apply"', "lead"):
        assert text in html
    assert (WriteObject.objects.count(), AuditEvent.objects.count()) == before


def test_a_bad_file_is_refused_at_the_field(admin: Browser, project: Project) -> None:
    status, html = upload(admin, project, b"a: [1\nb: 2")
    assert status == 422
    assert 'id="id_file_error"' in html
    answer = admin.post(reverse("connections:manifest", args=[project.pk]))
    assert answer.status_code == 422


def test_hostile_names_are_escaped(admin: Browser, project: Project) -> None:
    content = yaml("[{name: '<script>x</script>', write: {objects: []}}]")
    _, html = upload(admin, project, content)
    assert "<script>x" not in html
    assert "&lt;script&gt;x" in html


def test_confirming_adds_what_is_missing_and_removes_nothing(
    admin: Browser, project: Project
) -> None:
    address = reverse("connections:manifest_apply", args=[project.pk])
    answer = admin.post(address, {"text": GOOD.decode().replace("\n", "\r\n")})
    assert answer["Location"] == project.get_absolute_url()
    known = project.integrations.get(name="salesforce")
    objects = {row.name for row in known.write_objects.all()}
    assert {"quote", "contact", "lead", "tactics__c"} <= objects
    added = project.integrations.get(remote_id="sales-cloud")
    assert [row.name for row in added.write_objects.all()] == ["account"]
    event = AuditEvent.objects.newest_first()[0]
    assert event.action == "project.manifest_applied"
    assert event.detail == {"salesforce": ["quote"], "sales-cloud": ["account"]}


def test_confirming_twice_adds_nothing_the_second_time(
    admin: Browser, project: Project
) -> None:
    address = reverse("connections:manifest_apply", args=[project.pk])
    admin.post(address, {"text": GOOD.decode()})
    counts = (WriteObject.objects.count(), AuditEvent.objects.count())
    answer = admin.post(address, {"text": GOOD.decode()}, follow=True)
    assert levels(answer) == ["success"] * 2  # The first one was not read yet.
    assert (WriteObject.objects.count(), AuditEvent.objects.count()) == counts
    _, html = upload(admin, project, GOOD)
    assert 'id="apply"' not in html


def test_an_integration_known_by_its_id_is_found_by_its_name(
    admin: Browser, project: Project
) -> None:
    project.integrations.update(remote_id="113e9685-9a51-42cc-8662-9d9725b17f14")
    address = reverse("connections:manifest_apply", args=[project.pk])
    admin.post(address, {"text": GOOD.decode()})
    assert Integration.objects.filter(name="salesforce").count() == 1


def test_a_tampered_confirmation_changes_nothing(
    admin: Browser, project: Project
) -> None:
    address = reverse("connections:manifest_apply", args=[project.pk])
    before = WriteObject.objects.count()
    for data in ({}, {"text": "[1"}, {"text": "integrations: 5"}):
        answer = admin.post(address, data)
        assert answer.status_code == 422
        assert "problem" in Shown(answer).ids
    assert WriteObject.objects.count() == before
