"""A console as people run it, and a Chromium to use it with."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    JSHandle,
    Page,
    Playwright,
    StorageState,
    expect,
    sync_playwright,
)

from tests.browser.steps import review_record, send
from tests.migrated import migrated

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "only-for-the-browser-tests"
Shoot = Callable[[str], None]
# A long table says nothing new after some rows, and takes seconds to look at.
TOO_MANY = "tbody tr:nth-child(n+16)"

# About how many seconds they take; the others take less.
LONGEST = {
    "test_operation_pages.py": 120,
    "test_files.py": 100,
    "test_killed_worker.py": 90,
    "test_faults.py": 80,
}

# Far more than anything takes, in milliseconds; what waits so long has found a fault.
LONGEST_WAIT = 120_000
expect.set_options(timeout=LONGEST_WAIT)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give some of the tests their turn.

    The files that take longest come first, so that no core is left with one of them in
    the end. What looks at things long after they began comes last, and what begins them
    first, so that nobody has to wait.
    """
    modules = dict.fromkeys(item.path for item in items)
    longest_first = sorted(modules, key=lambda path: -LONGEST.get(path.name, 0))
    order = {path: number for number, path in enumerate(longest_first)}

    def turn(item: pytest.Item) -> tuple[bool, int, bool]:
        wanted = getattr(item, "fixturenames", ())
        return (
            "long_after" in wanted,
            order[item.path],
            "operations" not in wanted,
        )

    items.sort(key=turn)


@pytest.fixture
def long_after() -> None:
    """Ask for this to run when all others have run."""


@dataclass
class Console:
    """A running console: web, workers, clock and sandbox under `manage.py run`."""

    url: str
    sandbox_url: str
    data: Path
    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    signed_in: StorageState | None = None
    # What its stage printed.
    told: Any = None

    def set_up(self, stage: str) -> None:
        """Run a module that fills the database, and keep what it prints."""
        made = subprocess.run(
            [sys.executable, "-m", stage],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        self.told = json.loads(made.stdout)

    def start(self) -> None:
        """Start everything, and wait until it says that it is ready."""
        with (self.data / "log").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "run"],
                cwd=ROOT,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith("Ready:"):
                return
        pytest.fail(f"The console did not start:\n{self.log()}")

    def stop(self) -> None:
        """Stop everything in order. Leave its pages first: they would complain."""
        if self.process is not None:
            self.process.terminate()
            self.process.communicate()
            self.process = None

    def kill_all(self) -> None:
        """End the supervisor and everything below it at once, as a power cut does."""
        assert self.process is not None
        below = self.children("")
        for pid in (self.process.pid, *below):
            os.kill(pid, signal.SIGKILL)
        self.process.communicate()
        self.process = None

    def forget_fields(self) -> None:
        """Take the demo's field lists away: much is then only found once it is sent."""
        path = self.data / "console.sqlite3"
        with closing(sqlite3.connect(path, timeout=60)) as database, database:
            database.execute(
                "UPDATE console_writeobject "
                "SET fields = '[]', fields_from = '', fields_at = NULL"
            )

    def hold_next_write(self) -> None:
        """Have the sandbox keep what it receives next in progress, if it is a file."""
        self.tell("plan", {"fault": "never_ends", "write": 1})

    def end_held_write(self) -> None:
        """Have what the sandbox received last end, after `hold_next_write`."""
        operation = self.get("/sandbox/requests")[-1]["operationId"]
        self.tell("end", {"operation": operation})

    def tell(self, what: str, values: dict[str, Any]) -> None:
        """Tell the sandbox to do something."""
        url = f"{self.sandbox_url}/sandbox/{what}"
        httpx.post(url, json=values, timeout=60).raise_for_status()

    def log(self) -> str:
        """Return all that the processes have printed to stderr."""
        return (self.data / "log").read_text()

    def children(self, words: str) -> list[int]:
        """Return the ids of the processes below ours whose command has `words`."""
        assert self.process is not None
        listed = subprocess.run(
            ["ps", "-ww", "-eo", "pid=,ppid=,args="],
            capture_output=True,
            text=True,
            check=True,
        )
        found = []
        for line in listed.stdout.splitlines():
            pid, parent, command = line.split(None, 2)
            if int(parent) == self.process.pid and words in command:
                found.append(int(pid))
        return found

    def received(self, object_name: str) -> list[dict[str, Any]]:
        """Return the write requests for an object that the sandbox has received."""
        found: list[dict[str, Any]] = self.get("/sandbox/requests")
        path = re.compile(rf"/objects/{object_name}(/|:|$)")
        return [each for each in found if path.search(each["path"])]

    def get(self, path: str) -> Any:
        """Return the JSON of one of the sandbox's own pages."""
        return httpx.get(f"{self.sandbox_url}{path}", timeout=60).json()


def free_port() -> int:
    """Return a port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to start from; static files are collected.

    Where two processes share the tests, `make` has collected them: both at once would
    be in each other's way.
    """
    if "PYTEST_XDIST_WORKER" not in os.environ:
        subprocess.run(
            [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"],
            cwd=ROOT,
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "console.settings"},
            check=True,
        )
    data = tmp_path_factory.mktemp("prepared")
    return shutil.copy(migrated(), data / "console.sqlite3")


@pytest.fixture(scope="session")
def make_console(
    prepared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., Console]]:
    """A function that starts a console of its own; all are stopped at the end."""
    made: list[Console] = []

    def make(stage: str = "", **variables: str) -> Console:
        port, sandbox_port = free_port(), free_port()
        data = tmp_path_factory.mktemp("console")
        shutil.copy(prepared, data)
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "console.settings",
            "DATABASE_URL": "",
            "TASKS_BACKEND": "django_tasks_db.DatabaseBackend",
            "DATA_DIR": str(data),
            "PORT": str(port),
            "SANDBOX_PORT": str(sandbox_port),
            # As `run` sets it, for what else is started with this environment.
            "API_HOSTS": f"127.0.0.1:{sandbox_port}",
            "DEMO_PASSWORD": PASSWORD,
            **variables,
        }
        console = Console(
            url=f"http://127.0.0.1:{port}",
            sandbox_url=f"http://127.0.0.1:{sandbox_port}",
            data=data,
            environment=environment,
        )
        if stage:
            console.set_up(stage)
        console.start()
        made.append(console)
        console.forget_fields()
        return console

    yield make
    for console in made:
        console.stop()


@pytest.fixture(scope="session")
def console(make_console: Callable[..., Console]) -> Console:
    """The console that most tests share."""
    return make_console()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright, started once."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The Chromium that CHROMIUM names, Debian's, or Playwright's own."""
    path = (
        os.environ.get("CHROMIUM")
        or shutil.which("chromium-headless-shell")
        or shutil.which("chromium")
    )
    browser = playwright.chromium.launch(
        executable_path=path,
        timeout=LONGEST_WAIT,
        args=[
            "--no-sandbox",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    )
    yield browser
    browser.close()


@pytest.fixture
def open_page(
    chromium: Browser, request: pytest.FixtureRequest
) -> Iterator[Callable[..., Page]]:
    """A function that opens a signed-in page; what its browser complains of fails."""
    complaints: list[str] = []
    contexts = []

    def opened(
        at: Console | None = None, *, sign_in: bool = True, **options: Any
    ) -> Page:
        at = at or request.getfixturevalue("console")
        state = signed_in(chromium, at) if sign_in else None
        context = new_context(chromium, at, storage_state=state, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda m: (
                complaints.append(f"{page.url}: {m.text}") if complains(m) else None
            ),
        )
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def new_context(chromium: Browser, console: Console, **options: Any) -> BrowserContext:
    """Return a browser of somebody's own at the console."""
    context = chromium.new_context(base_url=console.url, **options)
    context.set_default_timeout(LONGEST_WAIT)
    return context


def signed_in(chromium: Browser, console: Console) -> StorageState:
    """Return the operator's cookies, after signing in once: hashing takes its time."""
    if console.signed_in is not None:
        return console.signed_in
    context = new_context(chromium, console)
    page = context.new_page()
    page.goto("/login/")
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    console.signed_in = context.storage_state()
    context.close()
    return console.signed_in


def complains(message: Any) -> bool:
    """Tell real complaints from Chromium's note that a page answered 4xx."""
    expected = re.match(r"Failed to load resource: .* (4\d\d) ", message.text)
    return message.type == "error" and not expected


@pytest.fixture
def listed(page: Page) -> Page:
    """The list of operations with two lines at least."""
    for name in ("Jay", "Kay"):
        review_record(page, "contact", {"LastName": name})
        send(page)
    page.goto("/operations/")
    return page


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A signed-in page, 1440 px wide."""
    return open_page(viewport={"width": 1440, "height": 900})


@pytest.fixture
def shoot(page: Page, tmp_path: Path) -> Shoot:
    """A function that keeps a picture of the page, for people to look at."""
    directory = Path(os.environ.get("BROWSER_SHOTS") or tmp_path / "shots")
    directory.mkdir(parents=True, exist_ok=True)
    taken: list[str] = []

    def shoot(name: str) -> None:
        taken.append(name)
        # The head of a page stays in sight: in the middle of a scrolled picture.
        page.evaluate("scrollTo(0, 0)")
        page.screenshot(path=directory / f"{len(taken):02}-{name}.png", full_page=True)

    return shoot


# What is pressed and is smaller than WCAG 2.5.8 has it: 24 by 24 px, but for links in
# the middle of a sentence. A box is pressed by its label, too.
SMALL_TARGETS = """() => {
  const inSentence = (e) =>
    e.tagName === "A" && getComputedStyle(e).display === "inline"
    && [...e.parentElement.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
  const found = [];
  for (const element of document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary")) {
    if (!element.checkVisibility({visibilityProperty: true})) continue;
    // A bar of a plot leads where its line of the table leads, too.
    if (element.closest("svg") && element.tabIndex < 0) continue;
    const isBox = element.matches("[type=checkbox], [type=radio]");
    const target = isBox && element.closest("label") || element;
    const {width, height, right} = target.getBoundingClientRect();
    // What is hidden from the eye alone is no target for a pointer.
    if (width <= 1 || height <= 1 || right < 0) continue;
    if (width >= 24 && height >= 24 || inSentence(element)) continue;
    found.push(`${width} x ${height}: ${element.outerHTML.slice(0, 120)}`);
  }
  return found;
}"""


def no_small_targets(page: Page) -> None:
    """Fail with what on the page is too small to be hit, and how small."""
    found: list[str] = page.evaluate(SMALL_TARGETS)
    assert found == [], f"{page.url}: {found[:10]}"


def no_axe_findings(page: Page, *, colours_of: JSHandle | None = None) -> None:
    """Fail with what axe finds on the page, and where.

    With `colours_of`, a list of elements, only their contrast is looked at.
    """
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(Axe().axe_script)
    violations = page.evaluate(
        """([elements, tooMany]) => {
          const context = {exclude: [tooMany]};
          const options = {resultTypes: ["violations"]};
          if (elements) {
            if (!elements.length) return [];
            context.include = elements;
            options.runOnly = ["color-contrast"];
          }
          return axe.run(context, options).then((found) => found.violations);
        }""",
        [colours_of, TOO_MANY],
    )
    found = [
        f"{violation['id']}: {node['html'][:200]}"
        for violation in violations
        for node in violation["nodes"]
    ]
    assert found == [], f"{page.url}: {found}"
