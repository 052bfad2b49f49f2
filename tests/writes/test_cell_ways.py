"""Words for no value, guarded and misread values: what the page offers mends them."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from console.models import Integration
from tests.writes.making import make_draft
from tests.writes.test_file import as_sent, press, rules
from writes.models import Write

pytestmark = pytest.mark.pages

CSV = """\
Nr,Name,Note
'001,NULL,#REF!
"=""002\""",CafÃ©,n/a
A\u200b3,ok,#N/A
"""


@pytest.fixture
def write(db: None, integration: Integration, olga: User) -> Write:
    return make_draft(
        integration, olga, csv=CSV.encode(), primary_key="Nr", faulty=True
    )


def forms(answer: Any) -> list[str]:
    """Return the quick forms of a page."""
    html = answer.content.decode()
    return [part.split("</form>")[0] for part in html.split('class="mend"')[1:]]


def told(write: Write) -> set[str]:
    return {rule for rule, _ in rules(write)}


def test_each_way_is_offered_where_it_helps(write: Write, browser: Browser) -> None:
    offered = forms(browser.get(f"/writes/{write.pk}/file/"))
    assert any('name="trim_0"' in form for form in offered)
    assert any('name="repair_0"' in form for form in offered)
    assert any('name="repair_1"' in form for form in offered)
    for number in (1, 2):
        assert any(
            f'<select class="form-select form-select-sm" name="placeholders_'
            f'{number}"' in form
            for form in offered
        )


def test_what_is_chosen_goes_out_and_is_told(write: Write, browser: Browser) -> None:
    assert not write.is_ready
    zone = {"zone": "UTC"}
    press(browser, write, "columns", name_0="Nr", trim_0="on", repair_0="on", **zone)
    press(
        browser,
        write,
        "columns",
        name_1="Name",
        placeholders_1="blank",
        repair_1="on",
        **zone,
    )
    press(browser, write, "columns", name_2="Note", placeholders_2="null", **zone)
    assert write.is_ready
    assert as_sent(write).decode() == (
        "Nr,Name,Note\n001,,#N/A\n002,Café,#N/A\nA3,ok,#N/A\n"
    )
    assert not told(write) & {"placeholder", "cell-error", "formula-text", "misread"}
    counts = [change["count"] for change in write.check_report["changes"]]
    assert sorted(counts) == [1, 1, 1, 2, 2]
    assert write.recipe.columns["Name"].placeholders == "blank"
    # The other quick forms and the form of all columns keep what was chosen.
    html = browser.get(f"/writes/{write.pk}/file/").content.decode()
    assert 'name="placeholders_1" value="blank" checked' in html
    assert 'name="repair_0" checked' in html


def test_another_choice_changes_nothing(write: Write, browser: Browser) -> None:
    answer = press(
        browser, write, "columns", name_1="Name", placeholders_1="upper", zone="UTC"
    )
    assert answer.status_code == 422
    assert not write.recipe.columns


def test_messages_name_the_separator_of_the_file(
    integration: Integration, olga: User, browser: Browser
) -> None:
    data = b"Nr;Name\n1;x\n2;y;z\n3;w\n"
    write = make_draft(integration, olga, csv=data, primary_key="Nr", faulty=True)
    press(browser, write, "read", encoding="utf-8", delimiter=";")
    groups = write.check_report["groups"]
    assert [group["rule"] for group in groups] == ["ragged-row"]
    message = groups[0]["first"][0]["message"]
    assert "semicolon" in message
    assert "comma" not in message
