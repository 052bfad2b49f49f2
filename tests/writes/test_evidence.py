"""The evidence pack: whole, true, without a key, and refused once a byte is changed."""

import csv
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from console import signing
from console.access.roles import Role
from console.actor import Actor
from console.models import AuditEvent, Integration
from console.models.audit_event import OF_DRAFTS
from sandbox.app import Sandbox
from tests.conftest import SANDBOX_KEY, make_project, make_user
from tests.writes.making import confirm, make_draft, settled
from writes.actions.retention import sweep
from writes.evidence import pack as packs
from writes.evidence import requests_sent, verify
from writes.models import Write
from writes.worker import run_calls

KEY = "external_id__c"
DATA = b'external_id__c,LastName\r\nk-1,Berg\r\nk-2,\r\nk-3,"=1+1, a\nline"\r\n'

pytestmark = pytest.mark.django_db


@pytest.fixture
def sent(sandbox: Sandbox, integration: Integration, olga: User) -> Write:
    """A file of which one row failed."""
    return settled(make_draft(integration, olga, csv=DATA, primary_key=KEY), olga)


def download(browser: Browser, write: Write, query: str = "") -> bytes:
    answer = browser.get(f"/writes/{write.pk}/evidence.zip{query}")
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def files_of(pack: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(pack)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines(content: bytes) -> list[Any]:
    return [json.loads(line) for line in content.splitlines()]


def run(script: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run the program of a pack as an auditor does: without site packages."""
    command = [sys.executable, "-I", str(script), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_an_untouched_pack_is_accepted_by_its_own_program(
    sent: Write, browser: Browser, tmp_path: Path
) -> None:
    content = download(browser, sent)
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    unpacked = tmp_path / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(unpacked)  # noqa: S202
    for given_ in ((path,), (unpacked,), ()):
        found = run(unpacked / "verify.py", *given_)
        assert found.returncode == 0, found.stdout + found.stderr
    own = run(unpacked / "verify.py", path, "--key", signing.public_keys()[0])
    assert own.returncode == 0
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    assert run(unpacked / "verify.py", path, "--key", other).returncode == 1
    sums = subprocess.run(  # noqa: S603
        ["sha256sum", "-c", "SHA256SUMS"],  # noqa: S607
        cwd=unpacked,
        check=False,
        capture_output=True,
    )
    assert sums.returncode == 0


def test_it_holds_what_was_sent_and_what_came_of_it(
    sent: Write, browser: Browser
) -> None:
    files = files_of(download(browser, sent))
    assert files["as-sent.csv"] == sent.path_of("as_sent").read_bytes()
    rows = list(csv.DictReader(io.StringIO(files["outcomes.csv"].decode())))
    assert [(row["key"], row["outcome"]) for row in rows] == [
        ("k-1", "succeeded"),
        ("k-2", "failed"),
        ("k-3", "succeeded"),
    ]
    assert "LastName" in rows[1]["reason"]
    (request,) = lines(files["requests.ndjson"])
    batch = sent.batches.get()
    assert request["body"]["in"] == "as-sent.csv"
    assert request["body"]["sha256"] == batch.sha256
    table = verify.Table(
        io.BytesIO(files["as-sent.csv"]), request["body"]["header_bytes"]
    )
    assert table.body(request["body"]) == batch.request().content()
    assert request["headers"]["X-Api-Key"].startswith("••••")
    logs = lines(files["logs.ndjson"])
    assert len(logs) == batch.operation.log_entries.count() > 0
    evidence = json.loads(files["evidence.json"])
    assert evidence["result"]["rows"]["failed"] == 1
    assert evidence["write"]["as_sent"]["sha256"] == (
        hashlib.sha256(files["as-sent.csv"]).hexdigest()
    )
    assert evidence["left_out"] == []
    states = [each["to_state"] for each in lines(files["timeline.ndjson"])]
    assert states[:2] == ["draft", "confirmed"]
    assert states[-1] == batch.operation.state
    page = files["index.html"].decode()
    assert "k-2" in page
    assert "<script" not in page
    assert "http-equiv" in page
    assert "src=" not in page


def test_the_audit_excerpt_has_its_seals_and_the_head(
    sent: Write, browser: Browser
) -> None:
    AuditEvent.record(action="other.thing", subject="Of something else")
    files = files_of(download(browser, sent))
    events = lines(files["audit.ndjson"])
    kept = AuditEvent.objects.in_bulk([event["id"] for event in events])
    actions = [event["action"] for event in events]
    assert "write.confirmed" in actions
    assert "other.thing" not in actions
    # That it was asked for is the newest event, and so the head.
    assert actions[-1] == "evidence.begun"
    for event in events:
        row = kept[event["id"]]
        assert (event["hash"], event["at"]) == (row.hash, row.at.isoformat())
    head = json.loads(files["evidence.json"])["audit"]["head"]
    assert head["hash"] == events[-1]["hash"]


def test_its_digest_is_an_audit_event(sent: Write, browser: Browser) -> None:
    content = download(browser, sent)
    event = AuditEvent.objects.get(action="evidence.downloaded")
    assert event.detail["sha256"] == hashlib.sha256(content).hexdigest()
    assert event.detail["bytes"] == len(content)
    assert event.detail["public_key"] == signing.public_keys()[0]
    assert event.actor_name == "olga"
    assert AuditEvent.objects.first_broken() is None


def test_looking_at_the_head_alone_leaves_no_event(
    sent: Write, browser: Browser
) -> None:
    assert browser.head(f"/writes/{sent.pk}/evidence.zip").status_code == 200
    assert not AuditEvent.objects.filter(action__startswith="evidence.").exists()


def test_the_bodies_of_a_run_are_those_that_were_sent(
    sandbox: Sandbox, olga: User, browser: Browser, tmp_path: Path
) -> None:
    today = make_project("Today", remote_id="demo-c", generation="C")
    text = "LastName\n" + "".join(f"Berg {n}\n" for n in range(250))
    draft = make_draft(
        today.integrations.get(), olga, csv=text.encode(), action="create"
    )
    run_calls.run(confirm(draft, olga).pk)
    content = download(browser, draft)
    files = files_of(content)
    bodies = files["bodies.ndjson"].splitlines()
    requests = lines(files["requests.ndjson"])
    assert len(bodies) == len(requests) == 3
    for told, body in zip(requests, bodies, strict=True):
        assert hashlib.sha256(body).hexdigest() == told["body"]["sha256"]
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    assert "3 requests; the exact body of 3" in "\n".join(verify.verify(path))


def test_what_leaves_while_a_pack_is_made_is_not_called_unsent(
    sandbox: Sandbox, olga: User, tmp_path: Path
) -> None:
    today = make_project("Today", remote_id="demo-c", generation="C")
    text = "LastName\n" + "".join(f"Berg {n}\n" for n in range(250))
    draft = make_draft(
        today.integrations.get(), olga, csv=text.encode(), action="create"
    )
    operation = confirm(draft, olga)
    before = packs.Pack(draft, packs.asked_by(olga))
    run_calls.run(operation.pk)
    path = tmp_path / "pack.zip"
    path.write_bytes(b"".join(before.stream()))
    verify.verify(path)
    for request in lines(files_of(path.read_bytes())["requests.ndjson"]):
        assert request["sent_at"]
        assert request["body"]["why"] != requests_sent.NOT_SENT


def test_of_a_record_the_body_and_the_answer_are_there(
    sandbox: Sandbox, integration: Integration, olga: User, browser: Browser
) -> None:
    write = settled(make_draft(integration, olga), olga)
    files = files_of(download(browser, write))
    assert files["bodies.ndjson"] == write.batches.get().request().content() + b"\n"
    (answer,) = lines(files["responses.ndjson"])
    assert answer["answer"]
    assert "outcomes.csv" not in files


def test_what_is_too_large_is_told_by_its_digest_until_a_person_wants_it(
    sent: Write, browser: Browser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(packs, "MOST", 10)
    content = download(browser, sent)
    files = files_of(content)
    assert "as-sent.csv" not in files
    (left_out,) = json.loads(files["evidence.json"])["left_out"]
    assert left_out["sha256"] == sent.check_report["as_sent_sha256"]
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    verify.verify(path)
    assert "as-sent.csv" in files_of(download(browser, sent, "?all=1"))


def test_the_pack_of_a_swept_write_is_still_true(
    sent: Write, browser: Browser, tmp_path: Path
) -> None:
    before = files_of(download(browser, sent))
    assert sweep(timezone.now() + timedelta(days=31)) == 1
    content = download(browser, sent)
    path = tmp_path / "pack.zip"
    path.write_bytes(content)
    verify.verify(path)
    files = files_of(content)
    assert not {"as-sent.csv", "outcomes.csv"} & set(files)
    evidence = json.loads(files["evidence.json"])
    told = {each["name"]: each for each in evidence["left_out"]}
    gone = {"as-sent.csv", "outcomes.csv", "responses.ndjson", "logs.ndjson"}
    assert set(told) == gone
    digest = hashlib.sha256(before["as-sent.csv"]).hexdigest()
    assert told["as-sent.csv"]["sha256"] == digest
    assert evidence["result"]["rows"]["failed"] == 1
    (request,) = lines(files["requests.ndjson"])
    assert request["body"]["sha256"] == sent.batches.get().sha256
    assert request["body"]["in"] is None


def test_a_stored_file_that_was_changed_is_not_passed_off_as_what_was_sent(
    sent: Write, browser: Browser
) -> None:
    path = sent.path_of("as_sent")
    path.write_bytes(path.read_bytes().replace(b"Berg", b"Burg"))
    files = files_of(download(browser, sent))
    assert "as-sent.csv" not in files
    (left_out,) = json.loads(files["evidence.json"])["left_out"]
    assert "changed" in left_out["why"]


def test_the_key_is_in_no_file(sent: Write, browser: Browser) -> None:
    for name, content in files_of(download(browser, sent)).items():
        assert SANDBOX_KEY.encode() not in content, name


def test_a_draft_has_none_and_a_viewer_may_take_it(
    sent: Write, integration: Integration, olga: User, browser: Browser
) -> None:
    draft = make_draft(integration, olga)
    assert browser.get(f"/writes/{draft.pk}/evidence.zip").status_code == 404
    viewer = Browser()
    viewer.force_login(make_user("vera", Role.VIEWER))
    assert files_of(download(viewer, sent))


def test_events_that_its_maker_may_not_read_are_told_as_left_out(
    sent: Write, browser: Browser, olga: User
) -> None:
    by_olga = Actor(user=olga, name=olga.get_username())
    for action in ("write.drafted", "write.fixed"):
        AuditEvent.record(action=action, subject="x", about=sent, actor=by_olga)
    viewer = Browser()
    viewer.force_login(make_user("vera", Role.VIEWER))
    told = {}
    for who, asks in (("olga", browser), ("vera", viewer)):
        files = files_of(download(asks, sent))
        actions = {event["action"] for event in lines(files["audit.ndjson"])}
        assert ("write.fixed" in actions) == (who == "olga")
        left_out = json.loads(files["evidence.json"])["left_out"]
        told[who] = [each["why"] for each in left_out]
    assert told["olga"] == []
    (why,) = told["vera"]
    found = AuditEvent.objects.about(write=sent.pk).filter(action__in=OF_DRAFTS)
    assert why.startswith(f"{found.count()} ")


def test_its_program_sets_no_limit_that_windows_has_no_number_for(
    sent: Write, browser: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "pack.zip"
    path.write_bytes(download(browser, sent))
    verify.verify(path)
    # A C long has 32 bits there.
    assert csv.field_size_limit() < 2**31


# --- Tampering -----------------------------------------------------------------------


def is_refused(path: Path) -> bool:
    try:
        verify.verify(path)
    except Exception:
        return True
    return False


def test_one_flipped_byte_anywhere_is_refused(
    sent: Write, browser: Browser, tmp_path: Path
) -> None:
    content = download(browser, sent)
    path = tmp_path / "flipped.zip"

    @hypothesis_settings(
        max_examples=120, suppress_health_check=list(HealthCheck), database=None
    )
    @given(st.integers(0, len(content) - 1), st.integers(1, 255))
    def flipped(at: int, by: int) -> None:
        path.write_bytes(content[:at] + bytes([content[at] ^ by]) + content[at + 1 :])
        assert is_refused(path)

    path.write_bytes(content)
    assert not is_refused(path)
    flipped()
    for cut in (content[:-1], content + b"\n", b"\n" + content):
        path.write_bytes(cut)
        assert is_refused(path)


def test_the_program_of_the_pack_refuses_a_flipped_byte(
    sent: Write, browser: Browser, tmp_path: Path
) -> None:
    content = bytearray(download(browser, sent))
    script = tmp_path / "verify.py"
    script.write_bytes(files_of(bytes(content))["verify.py"])
    content[len(content) // 2] ^= 1
    path = tmp_path / "flipped.zip"
    path.write_bytes(content)
    found = run(script, path)
    assert found.returncode == 1
    assert found.stdout.startswith("REFUSED")


def test_an_unpacked_pack_is_refused_once_a_file_is_changed_added_or_gone(
    sent: Write, browser: Browser, tmp_path: Path
) -> None:
    files = files_of(download(browser, sent))

    def unpack(changed: dict[str, bytes | None]) -> Path:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, content in (files | changed).items():
            if content is not None:
                (folder / name).write_bytes(content)
        return folder

    assert not is_refused(unpack({}))
    for name, content in files.items():
        middle = len(content) // 2
        flipped = content[:middle] + bytes([content[middle] ^ 1]) if content else b"x"
        flipped += content[middle + 1 :]
        assert is_refused(unpack({name: flipped})), name
        assert is_refused(unpack({name: None})), name
        assert is_refused(unpack({name: content + b" "})), name
    assert is_refused(unpack({"more.txt": b""}))
    linked = unpack({})
    (linked / "more").symlink_to(unpack({}), target_is_directory=True)
    assert is_refused(linked)
    # A manifest that fits the changed file, without the key to sign it.
    manifest = json.loads(files["manifest.json"])
    manifest["files"]["README.txt"] = {
        "bytes": 1,
        "sha256": hashlib.sha256(b"x").hexdigest(),
    }
    forged = {"README.txt": b"x", "manifest.json": json.dumps(manifest).encode()}
    assert is_refused(unpack(forged))


@given(st.binary(min_size=32, max_size=32), st.binary(max_size=200), st.data())
def test_the_signatures_of_the_program_are_those_of_ed25519(
    seed: bytes, message: bytes, data: st.DataObject
) -> None:
    key = Ed25519PrivateKey.from_private_bytes(seed)
    public, signature = key.public_key().public_bytes_raw(), key.sign(message)
    assert verify.is_signed(public, message, signature)
    at = data.draw(st.integers(0, 63))
    bit = 1 << data.draw(st.integers(0, 7))
    wrong = signature[:at] + bytes([signature[at] ^ bit]) + signature[at + 1 :]
    assert not verify.is_signed(public, message, wrong)
    assert not verify.is_signed(public, message + b".", signature)
    # The same point times one more: a second spelling that must not count.
    more = int.from_bytes(signature[32:], "little") + verify.L
    assert not verify.is_signed(
        public, message, signature[:32] + more.to_bytes(32, "little")
    )


def test_a_new_key_in_front_signs_and_the_old_one_is_still_told(settings: Any) -> None:
    (old, *_) = signing.public_keys()
    settings.AUDIT_KEYS = ["another-key-in-front", *settings.AUDIT_KEYS]
    new, *others = signing.public_keys()
    assert new != old
    assert old in others
