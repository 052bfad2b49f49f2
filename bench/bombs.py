"""Files made to take memory or time, uploaded to a real console, one after the other.

For each: how long the request took, and how long it was until a page said what is
wrong; the most memory of web, worker and child; the longest wait of others meanwhile;
and the bytes of its row in the database. Times are printed, the others have limits.

`bombs.py NAME …` takes some of them, by a part of their names.
"""

import html
import json
import re
import sqlite3
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import memory
import polling
import running
from figures import figure, finish

from tests.security.workbooks import BOMBS, HEAVY

AT_ONCE = 8
MOST_MEMORY, MOST_ROW = 400, 2**20
LONGEST_WAIT = 300
CHILD = "files.reading.child"
WORKBOOKS = (
    *("long cell", "long cell beside ballast", "long text in pieces", "lies: less"),
    *("one part under many names", "a directory of 4 EiB", "deep"),
    *("a billion laughs", "100,001 formats", "far corner", "rows upwards"),
    *("more columns than Excel's", "5,000 parts with long names"),
)
CSV = {
    "commas": b"," * 1_900_000,
    "line ends": b"id\r\n\n\r" * 200_000,
    "equal rows": b"id,a\n" + b"k,x\n" * 150_000,
    "columns": b",".join(b"c%d" % number for number in range(270_000)) + b"\n1\n",
}
OBJECTS = b"specVersion: 1.0.0\nintegrations:\n  - name: a\n    write: {objects: ["
MANIFEST = OBJECTS + b"{}," * 90_000 + b"]}\n"
DESCRIBE = json.dumps({"fields": [{"name": f"f{n}"} for n in range(60_000)]}).encode()
# What a page says of a file that cannot be sent, or of a form that was refused.
TOLD = re.compile(
    r'id="(?:unchecked|refusal)-heading">.*?</h2>(.*?)</p>'
    r'|id="verdict-heading">(.*?)</h2>|class="field-errors"[^>]*>(.*?)</div>',
    re.DOTALL,
)


@dataclass
class Peaks:
    """What was seen while a bomb was worked on; MiB and seconds."""

    web: float = 0
    worker: float = 0
    child: float = 0
    children: int = 0
    healthz: float = 0
    sign_in: float = 0


@dataclass
class Line:
    """A line of the table."""

    name: str
    bytes: int
    peaks: Peaks
    request: float = 0
    told_after: float = 0
    row: int = 0
    told: str = ""


@dataclass
class Stage:
    """The console, and who uploads."""

    console: running.Console
    browser: httpx.Client
    lines: list[Line] = field(default_factory=list)

    def csv(self, name: str, path: Path) -> None:
        """Upload a file as people do, read it as is suggested, and put it away."""
        with self._watched(name, path.stat().st_size) as line:
            start = time.monotonic()
            page = self._upload(path)
            line.request = time.monotonic() - start
            line.told = self._until_told(page)
            line.told_after = time.monotonic() - start
            line.row = self._row(page)
        self._discard(page)

    def form(self, name: str, address: str, content: bytes) -> None:
        """Upload a file to a form that answers at once."""
        with self._watched(name, len(content)) as line:
            given = polling.fields(self.browser.get(address).text)
            start = time.monotonic()
            files = {"file": ("a", content)}
            answer = self.browser.post(address, data=given, files=files)
            line.request = line.told_after = time.monotonic() - start
            line.told = said(answer.text)

    def at_once(self, path: Path) -> None:
        """Upload a workbook several times at the same moment."""
        name = f"{AT_ONCE} at once: {path.stem}"
        with (
            self._watched(name, AT_ONCE * path.stat().st_size) as line,
            ThreadPoolExecutor(AT_ONCE) as pool,
        ):
            start = time.monotonic()
            pages = list(pool.map(self._upload, [path] * AT_ONCE))
            line.request = time.monotonic() - start
            for page in pages:
                line.told = self._until_told(page)
            line.told_after = time.monotonic() - start
        for page in pages:
            self._discard(page)

    @contextmanager
    def _watched(self, name: str, size: int) -> Iterator[Line]:
        web, workers = self.console.web_workers(), self.console.workers("files")
        for pid in (*web, *workers):
            memory.forget_peak(pid)
        line = Line(name, size, Peaks())
        is_over = threading.Event()
        threads = [
            threading.Thread(target=each, args=[is_over, line.peaks])
            for each in (self._look_at_children, self._come_and_go)
        ]
        for thread in threads:
            thread.start()
        try:
            yield line
        finally:
            is_over.set()
            for thread in threads:
                thread.join()
        line.peaks.web = max(map(memory.peak, web))
        line.peaks.worker = max(map(memory.peak, workers))
        self.lines.append(line)
        print_line(line)

    def _look_at_children(self, is_over: threading.Event, peaks: Peaks) -> None:
        while not is_over.wait(0.01):
            found = self.console.below(CHILD)
            peaks.children = max(peaks.children, len(found))
            for pid in found:
                # It may have ended just now.
                with suppress(OSError, StopIteration):
                    peaks.child = max(peaks.child, memory.peak(pid))

    def _come_and_go(self, is_over: threading.Event, peaks: Peaks) -> None:
        url = self.console.url
        while not is_over.wait(0.1):
            healthz = polling.took(lambda: httpx.get(f"{url}/healthz", timeout=60))
            peaks.healthz = max(peaks.healthz, healthz)
            peaks.sign_in = max(
                peaks.sign_in, polling.took(lambda: polling.sign_in_at(url))
            )

    def _upload(self, path: Path) -> str:
        given = polling.filled_in(self.browser.get("/writes/csv/").text, "contact")
        with path.open("rb") as file:
            files = {"file": (path.name, file)}
            answer = self.browser.post("/writes/csv/", data=given, files=files)
        assert answer.url.path.endswith("/file/"), answer.text
        return answer.url.path

    def _until_told(self, page: str) -> str:
        """Wait for what the page says; a sheet is read as the page suggests."""
        until = time.monotonic() + LONGEST_WAIT
        while time.monotonic() < until:
            shown = self.browser.get(page).text
            if 'id="file-work"' in shown:
                time.sleep(0.1)
            elif 'value="read"' in shown and not said(shown):
                given = polling.fields(shown) | {"do": "read", "sheet": "A"}
                self.browser.post(page, data=given)
            else:
                return said(shown)
        return ""

    def _row(self, page: str) -> int:
        """Return the bytes of the write's row in the database."""
        path = self.console.log.parent / "console.sqlite3"
        number = int(page.split("/")[2])
        database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            found = database.execute(
                "SELECT * FROM writes_write WHERE id = ?", [number]
            ).fetchone()
        finally:
            database.close()
        return sum(len(str(value).encode()) for value in found)

    def _discard(self, page: str) -> None:
        token = polling.fields(self.browser.get(page).text)["csrfmiddlewaretoken"]
        address = page.replace("/file/", "/discard/")
        self.browser.post(address, data={"csrfmiddlewaretoken": token})


def main() -> None:
    """Throw them, print the table, and tell what is limited."""
    wanted = [name.casefold() for name in sys.argv[1:]]

    def is_wanted(name: str) -> bool:
        return not wanted or any(word in name.casefold() for word in wanted)

    makers = {name: BOMBS[name][0] for name in WORKBOOKS} | HEAVY
    with (
        tempfile.TemporaryDirectory() as directory,
        running.console() as console,
        httpx.Client(
            base_url=console.url, follow_redirects=True, timeout=LONGEST_WAIT
        ) as browser,
    ):
        polling.sign_in(browser)
        stage = Stage(console, browser)
        folder = Path(directory)
        print(HEAD)
        for name in filter(is_wanted, makers):
            stage.csv(name, makers[name](folder / f"{name}.xlsx".replace("/", " ")))
        for name in filter(is_wanted, CSV):
            path = folder / f"{name}.csv"
            path.write_bytes(CSV[name])
            stage.csv(name, path)
        for name, address, content in forms(browser):
            if is_wanted(name):
                stage.form(name, address, content)
        if is_wanted("at once"):
            stage.at_once(makers["deep"](folder / "deep.xlsx"))
    tell(stage.lines)
    finish()


def forms(browser: httpx.Client) -> Iterator[tuple[str, str, bytes]]:
    """Yield what an admin uploads: name, address and content."""
    project = found(browser.get("/connections/").text, r"/connections/\d+/")
    yield "90,000 objects", f"{project}manifest/", MANIFEST
    one = found(browser.get(project).text, r"/connections/objects/\d+/")
    yield "60,000 fields", f"{one}fields/import/", DESCRIBE


def found(page: str, pattern: str) -> str:
    """Return the first link of a page that is like this."""
    match = re.search(pattern, page)
    assert match, page
    return match[0]


def said(page: str) -> str:
    """Return what a page says is wrong, "" if nothing."""
    match = TOLD.search(page)
    if match is None:
        return ""
    words = re.sub(r"<[^>]*>", " ", " ".join(filter(None, match.groups())))
    return " ".join(html.unescape(words).split())


HEAD = (
    "bomb | bytes | request s | told after s | web MiB | worker MiB | child MiB "
    "| children | healthz s | sign-in s | row bytes | told"
)


def print_line(line: Line) -> None:
    """Print a line of the table."""
    peaks = line.peaks
    times = f"{line.request:.2f} | {line.told_after:.2f}"
    sizes = f"{peaks.web:.0f} | {peaks.worker:.0f} | {peaks.child:.0f}"
    waits = f"{peaks.healthz:.2f} | {peaks.sign_in:.2f}"
    print(
        f"{line.name} | {line.bytes} | {times} | {sizes} | {peaks.children} | {waits} "
        f"| {line.row} | {line.told[:110]}",
        flush=True,
    )


def tell(lines: list[Line]) -> None:
    """Print the figures that have limits, and the longest times."""
    for name in ("web", "worker", "child"):
        most = max(getattr(line.peaks, name) for line in lines)
        figure(f"bombs_{name}_memory", most, "MiB", at_most=MOST_MEMORY)
    children = max(line.peaks.children for line in lines)
    figure("bombs_children_at_once", children, "processes", at_most=1)
    row = max(line.row for line in lines)
    figure("bombs_report_row", row, "bytes", at_most=MOST_ROW)
    silent = sum(not line.told for line in lines)
    figure("bombs_without_a_word", silent, "bombs", exactly=0)
    figure("bombs_request", max(line.request for line in lines), "s")
    figure("bombs_told_after", max(line.told_after for line in lines), "s")
    figure("bombs_healthz", max(line.peaks.healthz for line in lines), "s")
    figure("bombs_sign_in", max(line.peaks.sign_in for line in lines), "s")


if __name__ == "__main__":
    main()
