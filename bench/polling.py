"""A hundred browsers that watch one running operation cause no more calls than one.

A real console sends an upsert that stays in progress. Browsers do what the page tells
htmx: they fetch its status fragment every few seconds, with the version they have. The
sandbox's log tells how often the console asked about the operation meanwhile. Asking
becomes rarer with age, so each number of browsers watches an operation of its own, from
its first second on.
"""

import asyncio
import html
import random
import re
import time
from collections.abc import Callable
from statistics import quantiles

import httpx
import running
from figures import figure, finish

FEW, MANY = 1, 100
# It is asked 2, 5 and 15 s after it was accepted, and then not before the 65th second.
WATCHED_SECONDS = 25
OBJECT = "fault_never_ends__c"
CSV = "external_id__c,Name\na-1,One\n"
TRIGGER = re.compile(r'data-poll hx-get="([^"]+)" hx-trigger="every (\d+)s"')


class Viewers:
    """Browsers that share one sign-in and look at one operation."""

    def __init__(self, client: httpx.AsyncClient, page: str) -> None:
        self.client, self.page = client, page
        self.seconds: list[float] = []
        self.failed = 0

    async def watch(self, count: int) -> None:
        """Look for WATCHED_SECONDS with so many browsers."""
        until = time.monotonic() + WATCHED_SECONDS
        await asyncio.gather(*(self._poll(until) for _ in range(count)))

    async def _poll(self, until: float) -> None:
        trigger = TRIGGER.search((await self.client.get(self.page)).text)
        # People do not open their pages in the same moment.
        pause = random.uniform(0, 2)  # noqa: S311
        while trigger and time.monotonic() + pause < until:
            await asyncio.sleep(pause)
            start = time.perf_counter()
            response = await self.client.get(html.unescape(trigger[1]))
            self.seconds.append(time.perf_counter() - start)
            if response.status_code == 200:
                trigger = TRIGGER.search(response.text)
            elif response.status_code != 204:
                self.failed += 1
            pause = int(trigger[2]) if trigger else 0
        assert trigger, "The page stopped looking, although the operation is running."


def main() -> None:
    """Watch one operation with one browser and another one with a hundred."""
    with (
        running.console() as console,
        httpx.Client(base_url=console.url, follow_redirects=True) as browser,
    ):
        sign_in(browser)
        calls, _ = watch(console, browser, FEW)
        most, viewers = watch(console, browser, MANY)
    figure(f"polling_upstream_calls_{FEW}", calls, "calls")
    figure(f"polling_upstream_calls_{MANY}", most, "calls")
    figure("polling_upstream_calls_100_over_1", most / calls, "ratio", at_most=1)
    figure("polling_failed_requests", viewers.failed, "requests", exactly=0)
    served = len(viewers.seconds) / WATCHED_SECONDS
    figure("polling_served", served, "requests/s")
    p95 = quantiles(viewers.seconds, n=20)[-1]
    figure("polling_p95", p95 * 1000, "ms")
    finish()


def watch(
    console: running.Console, browser: httpx.Client, count: int
) -> tuple[int, Viewers]:
    """Send an upsert and watch it; return the calls upstream, and who watched."""
    page = send(browser)
    viewers = asyncio.run(_watched(console.url, browser.cookies, page, count))
    shown = browser.get(page).text
    remote_id = re.search(r'data-copy="([0-9a-f-]{36})"', shown)
    assert remote_id, "The page shows no id of Ampersand's."
    calls = console.calls(f"/operations/{remote_id[1]}")
    assert calls, "Nobody asked upstream, so there is nothing to compare."
    return calls, viewers


async def _watched(url: str, cookies: httpx.Cookies, page: str, count: int) -> Viewers:
    # gunicorn closes what was idle for two seconds, maybe just as we ask again; a real
    # browser would try a new connection then, ours takes one from the start.
    limits = httpx.Limits(max_connections=count, keepalive_expiry=1)
    async with httpx.AsyncClient(
        base_url=url, cookies=cookies, limits=limits, timeout=30
    ) as client:
        viewers = Viewers(client, page)
        await viewers.watch(count)
    return viewers


def sign_in(browser: httpx.Client) -> None:
    """Sign in as the demo's operator."""
    given = {"username": "operator", "password": running.PASSWORD}
    response = browser.post("/login/", data=fields(browser.get("/login/").text) | given)
    assert response.url.path == "/", response.text


def sign_in_at(url: str) -> None:
    """Sign in with a browser that is new."""
    with httpx.Client(base_url=url, follow_redirects=True, timeout=60) as browser:
        sign_in(browser)


def took(do: Callable[[], object]) -> float:
    """Return the seconds that `do` takes."""
    start = time.monotonic()
    do()
    return time.monotonic() - start


def send(browser: httpx.Client, object_name: str = OBJECT) -> str:
    """Send a CSV as people do: form, review, Send. Return the operation's address."""
    form = browser.get("/writes/csv/").text
    given = filled_in(form, object_name)
    review = browser.post("/writes/csv/", data=given, files={"file": ("a.csv", CSV)})
    assert "The request" in review.text, review.text
    sent = browser.post(f"{review.url.path}send/", data=fields(review.text))
    assert sent.url.path.startswith("/operations/"), sent.text
    return sent.url.path


def filled_in(form: str, object_name: str) -> dict[str, str]:
    """Return what the form of a CSV sends, but for its file."""
    project = choice(form, "Faults")
    integration = choice(form, "salesforce", of=project)
    return fields(form) | {
        "project": project,
        "integration": integration,
        "object": choice(form, object_name, of=integration),
        "group": choice(form, "Demo customer (demo-group-id)", of=integration),
        "primary_key": "external_id__c",
        "action": "upsert",
    }


def fields(page: str) -> dict[str, str]:
    """Return what the hidden fields of a page hold."""
    hidden = re.findall(r'<input type="hidden"[^>]*>', page)
    found = {}
    for field in hidden:
        name = re.search(r'name="([^"]*)"', field)
        value = re.search(r'value="([^"]*)"', field)
        if name and value:
            found[name[1]] = html.unescape(value[1])
    return found


def choice(form: str, label: str, *, of: str = "") -> str:
    """Return the value of the option with this label, among those of another choice."""
    parent = rf'[^>]* data-parent="{of}"' if of else ""
    option = rf'<option value="(\d+)"{parent}[^>]*>{re.escape(label)}</option>'
    found = re.search(option, form)
    assert found, f"The form does not offer {label}."
    return found[1]


if __name__ == "__main__":
    main()
