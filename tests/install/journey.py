"""What a person does first at a new console, from sign-in to two writes, by its pages.

It imports httpx and nothing of ours, since it runs with what was installed, and ends
with 1 and a reason where anything is not as it should be.
"""

import argparse
import re
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

MIB = 2**20
# Far more than anything takes; who waits so long has found a fault.
LONGEST_WAIT = 300
ROWS = 12_000
ENDED_BADLY = re.compile(r"\bstate-(partly_failed|failed|rejected|cancelled|unknown)\b")
NEW_PASSWORD = "a longer one that nobody else knows"


class Form(HTMLParser):
    """The one form of a page that has a field of that name, with what is filled in."""

    def __init__(self, page: httpx.Response, field: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, Any]]] = []
        self.options: dict[str, dict[str, str]] = {}
        self._select = self._of = self._option = self._text = ""
        self.feed(page.text)
        fitting = [form for form in self.forms if field in form[1]]
        if not fitting:
            sys.exit(f"{page.url} has no form with “{field}”:\n{words(page)}")
        action, self.data = fitting[0]
        self.action = urljoin(str(page.url), action)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((of.get("action", ""), {}))
        if not self.forms:
            return
        data, name = self.forms[-1][1], of.get("name", "")
        is_choice = of.get("type") in ("radio", "checkbox")
        if tag == "input" and name and (not is_choice or "checked" in of):
            data.setdefault(name, of.get("value", "on" if is_choice else ""))
        if tag == "textarea" and name:
            self._text = name
            data[name] = ""
        if tag == "select" and name:
            self._select = name
            data[name] = ""
        if tag == "optgroup":
            self._of = f"{of.get('label', '')} / "
        if tag == "option" and self._select:
            self._option = of.get("value", "")
            if "selected" in of:
                data[self._select] = self._option

    def handle_data(self, text: str) -> None:
        if self._text:
            self.forms[-1][1][self._text] += text
        if self._option:
            label = self._of + text.strip()
            self.options.setdefault(self._select, {})[label] = self._option

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = ""
        if tag == "option":
            self._option = ""
        if tag == "optgroup":
            self._of = ""
        if tag == "select":
            self._select = ""

    def choose(self, **labels: str) -> dict[str, str]:
        """Return the values of options by what a person reads there."""
        return {
            name: next(
                value
                for label, value in self.options[name].items()
                if f"{label} ".startswith(f"{wanted} ")
            )
            for name, wanted in labels.items()
        }


class Person:
    """Somebody at a browser, without JavaScript."""

    def __init__(self, base: str, certificate: str | None) -> None:
        self.base = base
        self.http = httpx.Client(
            base_url=base,
            verify=certificate or True,
            follow_redirects=True,
            timeout=LONGEST_WAIT,
        )

    def wait_for_console(self) -> None:
        """Wait until somebody is behind the address: a proxy is there before it."""
        until = time.monotonic() + LONGEST_WAIT
        while self._status() != 200:
            if time.monotonic() > until:
                sys.exit(f"{self.base} did not answer.")
            time.sleep(0.5)

    def _status(self) -> int:
        try:
            return self.http.get("/healthz").status_code
        except httpx.TransportError:
            return 0

    def open(self, path: str) -> httpx.Response:
        page = self.http.get(path)
        if page.status_code != 200:
            sys.exit(f"{page.url} answered {page.status_code}:\n{words(page)}")
        return page

    def submit(
        self,
        form: Form,
        files: dict[str, tuple[str, bytes]] | None = None,
        **typed: Any,
    ) -> httpx.Response:
        answer = self.http.post(
            form.action,
            data=form.data | typed,
            files=files,
            headers={"Referer": form.action},
        )
        if answer.status_code != 200:
            sys.exit(f"{form.action} answered {answer.status_code}:\n{words(answer)}")
        return answer

    def sign_in(self, name: str, password: str) -> None:
        form = Form(self.open("/login/"), "password")
        page = self.submit(form, username=name, password=password)
        form = Form(page, "new_password1")
        typed = {"new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
        if "old_password" in form.data:
            typed["old_password"] = password
        self.submit(form, **typed)

    def make_project(self, sandbox: str, manifest: bytes) -> None:
        form = Form(self.open("/connections/new/"), "remote_id")
        urls = dict.fromkeys(("write_url", "api_url", "search_url"), f"{sandbox}/v1")
        chosen = form.choose(environment="Sandbox", generation="2024-03:")
        typed = {"name": "Trial", "remote_id": "demo", **urls, **chosen}
        project = self.submit(form, **typed).url.path
        form = Form(self.open(f"{project}keys/new/"), "value")
        self.submit(form, label="Trial", value="SANDBOX-KEY")
        form = Form(self.open(f"{project}manifest/"), "file")
        del form.data["file"]
        page = self.submit(form, files={"file": ("amp.yaml", manifest)})
        page = self.submit(Form(page, "text"))
        customers = r"/connections/integrations/\d+/groups/new/"
        for path in dict.fromkeys(re.findall(customers, page.text)):
            form = Form(self.open(path), "group_ref")
            self.submit(form, group_ref="demo-group-id", name="Trial customer")

    def send_record(self) -> httpx.Response:
        form = Form(self.open("/writes/record/"), "field_name")
        fields = {
            "field_name": ["LastName"],
            "field_type": ["text"],
            "field_value": ["Installed"],
        }
        page = self.submit(form, **self.target(form), action="create", **fields)
        return self.confirm(page)

    def send_file(self) -> httpx.Response:
        form = Form(self.open("/writes/csv/"), "file")
        del form.data["file"]
        page = self.submit(
            form,
            files={"file": ("people.csv", file_of_12_mib())},
            **self.target(form),
            action="upsert",
            primary_key="external_id__c",
        )
        detail = re.sub(r"file/$", "", page.url.path)
        return self.confirm(self.wait(detail, has_form("reviewed")))

    def target(self, form: Form) -> dict[str, str]:
        return form.choose(
            project="Trial",
            integration="Trial / salesforce",
            object="Trial: salesforce / contact",
            group="Trial: salesforce / Trial customer",
        )

    def confirm(self, page: httpx.Response) -> httpx.Response:
        return self.submit(Form(page, "reviewed"), reason="To try the installation")

    def wait(self, path: str, holds: Any) -> httpx.Response:
        """Look again until the page is as it should be."""
        until = time.monotonic() + LONGEST_WAIT
        while not holds(page := self.open(path)):
            if time.monotonic() > until or ENDED_BADLY.search(page.text):
                sys.exit(f"{page.url} did not get so far:\n{words(page)}")
            time.sleep(0.5)
        return page


def has_form(field: str) -> Any:
    return lambda page: f'name="{field}"' in page.text


def has_succeeded(page: httpx.Response) -> bool:
    return "state-succeeded" in page.text and not re.search(
        "state-(waiting|sending|in_progress|held)", page.text
    )


def file_of_12_mib() -> bytes:
    lines = [
        f"person-{number:05},Person {number:05},{'of a new installation ' * 47}\n"
        for number in range(ROWS)
    ]
    content = ("external_id__c,LastName,Description\n" + "".join(lines)).encode()
    if not 12 * MIB <= len(content) < 13 * MIB:
        sys.exit(f"The file has {len(content)} bytes.")
    return content


def words(page: httpx.Response) -> str:
    """Return what a page says, without its markup, and not all of it."""
    text = re.sub(r"(?s)<head>.*?</head>|<[^>]+>", " ", page.text)
    return re.sub(r"\s+", " ", text)[:3000]


def contacts(sandbox: str) -> int:
    """Return how many contacts the customer's system has."""
    path = "/sandbox/records/contact?groupRef=demo-group-id&count=1"
    count: int = httpx.get(sandbox + path, timeout=LONGEST_WAIT).json()["count"]
    return count


def need(sandbox: str, expected: int) -> None:
    """Need as many contacts there as were sent, each once."""
    if (found := contacts(sandbox)) != expected:
        sys.exit(f"The sandbox has {found} contacts, and not {expected}.")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("base")
    parser.add_argument("--admin", nargs=2, required=True)
    parser.add_argument("--sandbox", required=True)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--certificate")
    given = parser.parse_args()
    person = Person(given.base, given.certificate)
    person.wait_for_console()
    before = contacts(given.sandbox)
    person.sign_in(*given.admin)
    person.make_project(given.sandbox, given.manifest.read_bytes())
    page = person.send_record()
    person.wait(page.url.path, has_succeeded)
    need(given.sandbox, before + 1)
    sys.stdout.write("A record was sent and succeeded.\n")
    page = person.send_file()
    person.wait(page.url.path, has_succeeded)
    need(given.sandbox, before + 1 + ROWS)
    sys.stdout.write(f"A CSV file of 12 MiB with {ROWS} rows was sent and succeeded.\n")


if __name__ == "__main__":
    main()
