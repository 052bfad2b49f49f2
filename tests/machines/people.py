"""What people do at the web processes, and what became of it at Ampersand."""

import itertools
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx
from django.conf import settings
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client as Browser

from console.models import Project
from operations.models import Operation
from tests.machines.installation import LONGEST_WAIT, Installation, wait_until
from tests.writes.making import fault_integration, make_draft, states
from writes.models import Batch, FileJob, Write

State = Operation.State

TOKEN = "a" * 32


class People:
    """They press Send at the web processes of an installation, as `user`."""

    def __init__(self, user: User, webs: list[str]) -> None:
        self.webs = webs
        browser = Browser()
        browser.force_login(user)
        session = browser.cookies[settings.SESSION_COOKIE_NAME].value
        self.cookies = {settings.SESSION_COOKIE_NAME: session, "csrftoken": TOKEN}

    def send(self, *writes: Write) -> None:
        """Press Send for each, at all web processes at the same time."""
        turns = [(write.pk, web) for write in writes for web in self.webs]
        with (
            httpx.Client(cookies=self.cookies, timeout=LONGEST_WAIT) as http,
            ThreadPoolExecutor(8) as people,
        ):
            list(people.map(lambda turn: press(http, *turn), turns))


def press(http: httpx.Client, pk: int, web: str) -> None:
    """Press until it went well: a person whose page failed presses again."""

    def went_well() -> bool:
        try:
            page = http.get(f"{web}/writes/{pk}/")
            if page.is_server_error:
                return False
            found = re.search(r'name="reviewed" value="(\w+)"', page.text)
            answer = http.post(
                f"{web}/writes/{pk}/send/",
                headers={"X-CSRFToken": TOKEN},
                data={"reviewed": found[1] if found else ""},
            )
        except httpx.TransportError:
            return False
        assert answer.status_code in (302, 500, 503), answer.text
        return answer.status_code == 302

    wait_until(went_well)


_names = itertools.count(1)


def creates(project: Project, user: User, count: int) -> list[Write]:
    """Return drafts of so many records, each another one."""
    integration = project.integrations.get()
    return [
        make_draft(integration, user, record={"LastName": f"Person {next(_names)}"})
        for _ in range(count)
    ]


def silent(project: Project, user: User) -> Write:
    """Return a draft of a record that is written and never answered for."""
    return make_draft(
        fault_integration(project, "timeout_after"),
        user,
        object_name="fault_timeout_after__c",
        record={"Name": f"Silent {next(_names)}"},
    )


def file_in_parts(project: Project, user: User) -> Write:
    """Return a draft of a file in three parts."""
    rows = "".join(f"f-{next(_names):04},Row\n" for _ in range(3))
    data = f"external_id__c,LastName\n{rows}".encode()
    integration = project.integrations.get()
    return make_draft(integration, user, csv=data, primary_key="external_id__c")


def operation_of(write: Write) -> Operation:
    return Operation.objects.get(batch__write=write)


def has_ended(*writes: Write) -> bool:
    """Tell whether nothing moves any more: all was sent, watched and joined."""
    try:
        open_operations = Operation.objects.filter(
            batch__write__in=writes, state__in=(*Operation.IN_FLIGHT, State.HELD)
        )
        open_jobs = FileJob.objects.filter(write__in=writes, state__in=FileJob.OPEN)
        return not (open_operations.exists() or open_jobs.exists())
    except OperationalError:
        connection.close()
        return False


def is_sending(write: Write) -> bool:
    return operation_of(write).state == State.SENDING


def arrived(installation: Installation) -> Counter[str]:
    """Return how often each content arrived at Ampersand."""
    return Counter(each["bodySha256"] for each in installation.received())


def succeeded_once(installation: Installation, writes: list[Write]) -> None:
    """Fail unless every part of these succeeded, and arrived once."""
    assert {state for write in writes for state in states(write)} == {State.SUCCEEDED}
    batches = Batch.objects.filter(write__in=writes)
    came = arrived(installation)
    assert {came[batch.sha256] for batch in batches} == {1}


def reason_of(write: Write) -> str:
    return operation_of(write).reason
