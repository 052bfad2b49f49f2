"""From an upload to the file as sent: what is kept of it, and what of it counts."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from ampersand import RequestInvalid
from console.models import Integration, WriteObject
from files.field import Field
from files.fields.field_lists import as_json
from files.findings_file import read_findings
from files.splitting import Part, part_text
from tests.writes.making import check_draft, confirm, make_draft
from writes.models import SavedMapping, Write
from writes.storage import stored

State = Write.State

pytestmark = pytest.mark.django_db


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def kept(folder: Path) -> set[str]:
    """Return the name of every file that is stored."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in files}


def named(write: Write) -> set[str]:
    """Return the name of every file that the write has."""
    return {getattr(write, kind).name for kind in Write.FILES} - {"", None}


def rules(write: Write) -> set[str]:
    return {group["rule"] for group in write.check_report["groups"]}


def give(write: Write, **recipe: Any) -> None:
    """Give a draft another recipe and check it anew, as its page does."""
    write.change(
        only_from=State.DRAFT,
        edition=write.edition + 1,
        is_ready=False,
        recipe_json={"columns": {}, **recipe},
    )
    check_draft(write)


def rename(**names: str) -> dict[str, Any]:
    return {column: {"name": name} for column, name in names.items()}


def test_a_file_that_needs_nothing_is_one_file(
    integration: Integration, olga: User, tmp_path: Path
) -> None:
    data = b"id,LastName\n1,Berg\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    assert write.original.name == write.as_read.name == write.as_sent.name
    assert write.check_report["as_sent_sha256"] == sha256(data)
    assert write.check_report["changes"] == []
    assert kept(tmp_path) == named(write)


def test_bom_and_line_ends_are_taken_out_and_counted(
    integration: Integration, olga: User, tmp_path: Path
) -> None:
    data = b"\xef\xbb\xbfid,LastName\r\n1,Berg\r\n2,Tal\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    as_sent = b"id,LastName\n1,Berg\n2,Tal\n"
    assert write.path_of("original").read_bytes() == data
    assert write.path_of("as_read").read_bytes() == as_sent
    assert write.path_of("as_sent").read_bytes() == as_sent
    assert write.inspection["sha256"] == sha256(data)
    assert write.check_report["as_sent_sha256"] == sha256(as_sent)
    assert write.check_report["as_sent_size"] == len(as_sent)
    counts = {c["what"]: c["count"] for c in write.check_report["changes"]}
    # The byte order mark and two line ends.
    assert sorted(counts.values()) == [1, 2]
    assert any("2" in what and "CRLF" in what for what in counts)
    assert kept(tmp_path) == named(write)


def test_rows_left_out_are_held_back_with_their_digest(
    integration: Integration, olga: User, tmp_path: Path
) -> None:
    data = b"id,LastName\r\n1,Berg\r\n2,Tal\r\n3,Lau\r\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    give(write, left_out=[[3, 3]])
    held_back = b"id,LastName\n2,Tal\n"
    assert write.path_of("as_sent").read_bytes() == b"id,LastName\n1,Berg\n3,Lau\n"
    assert write.path_of("held_back").read_bytes() == held_back
    report = write.check_report
    assert (report["held_back_rows"], report["rows"], write.row_count) == (1, 2, 2)
    assert report["held_back_sha256"] == sha256(held_back)
    assert report["held_back_size"] == len(held_back)
    assert kept(tmp_path) == named(write)


def test_the_files_of_an_earlier_check_are_deleted(
    integration: Integration, olga: User, tmp_path: Path
) -> None:
    data = b"id,LastName\r\n1,Berg\r\n2,Tal\r\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    give(write, left_out=[[2, 2]])
    before = named(write)
    assert len(kept(tmp_path)) == 6
    give(write)
    assert kept(tmp_path) == named(write)
    assert write.original.name in before
    assert write.path_of("original").read_bytes() == data


def test_a_check_that_fails_leaves_no_files(
    integration: Integration,
    olga: User,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = b"id,LastName\r\n1,Berg\r\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    before = kept(tmp_path)
    monkeypatch.setattr("writes.worker.check_file.check", None)
    with pytest.raises(AssertionError):
        check_draft(write)
    assert kept(tmp_path) == before


def test_every_finding_is_in_the_file_of_findings(
    integration: Integration, olga: User
) -> None:
    rows = b"".join(b"same,%d\n" % number for number in range(50))
    data = b"id,Number\n" + rows
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    found = list(read_findings(write.path_of("findings")))
    total = sum(group["total"] for group in write.check_report["groups"])
    assert len(found) == total
    assert {int(row) for _, _, row, *_ in found if row} >= set(range(2, 52))
    assert all(len(g["first"]) <= 20 for g in write.check_report["groups"])


def test_a_file_with_faults_is_not_ready_and_cannot_be_confirmed(
    integration: Integration, olga: User
) -> None:
    data = b"id,LastName\n,Berg\n"
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    with pytest.raises(RequestInvalid):
        confirm(write, olga)
    with pytest.raises(IntegrityError), transaction.atomic():
        Write.objects.update(state=State.CONFIRMED, confirmed_at=timezone.now())
    write.refresh_from_db()
    assert write.is_draft


def test_the_field_list_of_the_object_decides(
    integration: Integration, olga: User
) -> None:
    data = b"id,Kids\n1,two\n"
    guessed = make_draft(integration, olga, csv=data, primary_key="id")
    assert not guessed.check_report["has_fields"]
    fields = [Field(name="Id", type="id"), Field(name="Kids", type="int")]
    WriteObject.objects.filter(name="contact").update(fields=as_json(fields))
    told = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    assert told.check_report["has_fields"]
    group = told.check_report["groups"][0]
    assert (group["level"], group["column"]) == ("blocks", "Kids")


def test_a_saved_mapping_is_applied_to_the_next_file(
    integration: Integration, olga: User
) -> None:
    SavedMapping.objects.create(
        integration=integration,
        object_name="contact",
        columns={"Nr": "external_id__c", "Junk": "", "Gone": "Elsewhere"},
        changed_by_name="tim",
    )
    data = b"Nr,Junk,LastName\n1,x,Berg\n"
    write = make_draft(integration, olga, csv=data, primary_key="Nr")
    sent = b"external_id__c,LastName\n1,Berg\n"
    assert write.path_of("as_sent").read_bytes() == sent
    assert write.primary_key == "external_id__c"
    other = make_draft(
        integration, olga, csv=data, primary_key="Nr", object_name="lead"
    )
    assert other.path_of("as_sent").read_bytes() == data


def test_a_mapping_that_was_taken_back_is_not_guessed_anew(
    integration: Integration, olga: User
) -> None:
    """Also not by a later check, when another file's mapping was saved meanwhile."""
    data = b"Nr,LastName\n1,Berg\n"
    write = make_draft(integration, olga, csv=data, primary_key="Nr")
    give(write)
    SavedMapping.objects.create(
        integration=integration,
        object_name="contact",
        columns={"LastName": "FirstName"},
        changed_by_name="tim",
    )
    check_draft(write)
    assert write.path_of("as_sent").read_bytes() == data


def test_the_key_follows_the_name_that_its_column_is_sent_as(
    integration: Integration, olga: User
) -> None:
    data = b"Nr,LastName\n1,Berg\n"
    write = make_draft(integration, olga, csv=data, primary_key="Nr")
    give(write, columns=rename(Nr="external_id__c"))
    assert (write.primary_key, write.is_ready) == ("external_id__c", True)
    check_draft(write)
    assert (write.primary_key, write.is_ready) == ("external_id__c", True)


def test_the_key_stays_where_another_column_has_its_name_in_the_file(
    integration: Integration, olga: User
) -> None:
    """The column “Id” of the file is sent as something else: it is not the key."""
    data = b"Id,Nr\n7,a\n8,b\n"
    write = make_draft(integration, olga, csv=data, primary_key="Nr")
    give(write, columns=rename(Id="legacy__c", Nr="Id"))
    for _ in range(3):
        assert write.primary_key == "Id"
        header = write.path_of("as_sent").read_bytes().splitlines()[0]
        assert header == b"legacy__c,Id"
        check_draft(write)


def test_a_file_too_big_for_one_request_gets_parts_with_digests(
    integration: Integration, olga: User, small_parts: int
) -> None:
    data = b"id,LastName\n" + b"".join(b"%d,Some name\n" % n for n in range(10))
    write = make_draft(integration, olga, csv=data, primary_key="id")
    assert write.delivery == Write.Delivery.PARTS
    parts = write.check_report["parts"]
    texts = [
        part_text(
            write.path_of("as_sent"),
            Part(**{name: v for name, v in part.items() if name != "sha256"}),
        )
        for part in parts
    ]
    assert [sha256(text) for text in texts] == [part["sha256"] for part in parts]
    assert all(len(text) <= small_parts for text in texts)
    joined = b"".join(text.partition(b"\n")[2] for text in texts)
    assert b"id,LastName\n" + joined == data


def test_a_row_that_fits_into_no_part_cannot_be_sent_in_parts(
    integration: Integration, olga: User, small_parts: int
) -> None:
    data = b"id,LastName\n1,Berg\n2," + b"x" * 100 + b"\n"
    write = make_draft(integration, olga, csv=data, primary_key="id")
    assert "too-big" in rules(write)
    finding = next(g for g in write.check_report["groups"] if g["rule"] == "too-big")
    assert finding["first"][0]["row"] == 3
    with pytest.raises(RequestInvalid):
        confirm(write, olga)
    write.refresh_from_db()
    assert write.is_draft


def test_a_small_file_after_a_large_one_goes_in_one_request_again(
    integration: Integration, olga: User, small_parts: int
) -> None:
    data = b"id,LastName\n" + b"".join(b"%d,Some name\n" % n for n in range(10))
    write = make_draft(integration, olga, csv=data, primary_key="id")
    give(write, left_out=[[2, 10]])
    assert write.delivery == Write.Delivery.TEXT


NASTY = {
    "NUL in a cell": b"id,a\n1,x\x00y\n",
    "NUL in the header": b"id,a\x00b\n1,x\n",
    "NUL alone": b"\x00",
    "half a character in a cell": b"id,a\n1,\xff\xfe\xed\xa0\x80\n" + b"2,x\n" * 500,
    "half a character in the header": b"id,\xc3\n1,x\n",
    "no line end at all": b"id,a",
    "an open quote": b'id,a\n1,"x\n2,y\n',
    "a quote inside": b'id,a\n1,x"y\n',
    "only quotes": b'"""""\n""',
    "only line ends": b"\r\n\n\r",
    "only commas": b",,,\n,,,\n",
    "a carriage return alone": b"id,a\r1,x\r",
    "a blank line inside": b"id,a\n1,x\n\n2,y\n",
    "blank lines at the end": b"id,a\n1,x\n\n\n",
    "cells too many": b"id,a\n1,x,y\n",
    "the header twice": b"id,id\n1,2\n",
    "a blank header": b"id,\n1,2\n",
    "a workbook's beginning": b"PK\x03\x04 and no more",
    "a PDF": b"%PDF-1.7 \n",
    "sep=": b"sep=;\nid;a\n1;x\n",
    "UTF-16": "id,a\n1,é\n".encode("utf-16"),
    "UTF-16 cut": "id,a\n1,é\n".encode("utf-16")[:-1],
    "Shift-JIS": "id,名前\n1,山田\n".encode("shift-jis"),
    "control characters": b"id,a\n1,\x01\x1b[31m\x7f\n",
    "a formula": b"id,a\n1,=cmd()\n",
    "odd names of columns": b'id,"a\nb","{{ x }}","#1"\n1,2,3,4\n',
    "characters beyond the first plane": "id,😀\n1,\U0010ffff\n".encode(),
}


@pytest.mark.parametrize("data", NASTY.values(), ids=NASTY)
def test_nothing_in_a_file_ends_the_check(
    data: bytes, integration: Integration, olga: User, client: Any
) -> None:
    """It ends with findings, a refusal or a question, and its page opens."""
    write = make_draft(integration, olga, csv=b"id\n1\n", primary_key="id")
    write.change(
        only_from=State.DRAFT,
        original=stored(ContentFile(data), "original"),
        inspection={},
        recipe_json={},
        edition=write.edition + 1,
        is_ready=False,
    )
    check_draft(write)
    client.force_login(olga)
    assert client.get(f"/writes/{write.pk}/file/").status_code == 200
    if write.check_report.get("blocks", True):
        assert not write.is_ready
    if write.inspection["doubts"]:
        write.change(
            only_from=State.DRAFT,
            reading=write.inspection["suggested"],
            edition=write.edition + 1,
        )
        check_draft(write)
        assert client.get(f"/writes/{write.pk}/file/").status_code == 200


def test_blank_lines_between_rows_do_not_lose_a_row(
    integration: Integration, olga: User
) -> None:
    data = b"id,a\n1,x\n\n2,y\n"
    write = make_draft(integration, olga, csv=data, primary_key="id", faulty=True)
    group = next(g for g in write.check_report["groups"] if g["level"] == "blocks")
    assert group["first"][0]["row"] == 3
    give(write, left_out=[[3, 3]])
    assert write.path_of("as_sent").read_bytes() == b"id,a\n1,x\n2,y\n"
    assert write.is_ready
