"""Somebody who looks at pages: light and dark, at a desk and on a phone, with axe."""

import os
import re
from pathlib import Path
from typing import ClassVar, Literal, get_args

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import (
    PASSWORD,
    TOO_MANY,
    Console,
    complains,
    new_context,
    no_axe_findings,
    no_small_targets,
)
from tests.tabler import left_out

DESK, PHONE = 1440, 390
Theme = Literal["light", "dark"]
# Where words are seen: by what CSS goes by from the body down to them, and whether they
# are large, for which less contrast will do. Given some places: the elements there.
WORDS = """([tooMany, places]) => {
  const name = (e) => [e.tagName, e.className.baseVal ?? e.className, e.disabled,
    e.ariaCurrent, e.getAttribute("aria-invalid"), !e.previousElementSibling].join(" ");
  const path = (e) =>
    e === document.body ? "" : `${path(e.parentElement)} > ${name(e)}`;
  const seen = {};
  for (const element of document.body.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    const words = element.labels
      || [...element.childNodes].some((n) => n.nodeType === 3 && n.data.trim());
    if (!words || box.width <= 1 || box.height <= 1 || !element.checkVisibility()
      || element.closest(tooMany)) continue;
    const style = getComputedStyle(element);
    const large = parseFloat(style.fontSize) >= (style.fontWeight >= 700 ? 18.66 : 24);
    (seen[`${path(element)} ${large}`] ||= []).push(element);
  }
  return places ? places.flatMap((place) => seen[place] || []) : Object.keys(seen);
}"""
TELL_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`))"""
CLASSES = "[...document.querySelectorAll('[class]')].flatMap((e) => [...e.classList])"
OPEN_SOME = """[...document.querySelectorAll("main details")].slice(0, 5).forEach(
  (details) => { details.open = true; })"""


class Reader:
    """Somebody who looks at pages; `complaints` is what the browser said meanwhile.

    All of them share `looked_at`: the places whose colours were looked at, by theme.
    """

    looked_at: ClassVar[dict[str, set[str]]] = {"light": set(), "dark": set()}
    # How many pictures each test took.
    taken: ClassVar[dict[str, int]] = {}

    def __init__(self, chromium: Browser, at: Console, user: str = "") -> None:
        # Without motion no colour is caught half-way from one theme to the other.
        self.context = new_context(chromium, at, reduced_motion="reduce")
        self.context.add_init_script(TELL_VIOLATIONS)
        self.context.add_init_script(Axe().axe_script)
        self.complaints: list[str] = []
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda m: self.complaints.append(m.text) if complains(m) else None,
        )
        if user:
            self.page.goto("/login/")
            self.page.get_by_label("User name").fill(user)
            self.page.get_by_label("Password").fill(PASSWORD)
            self.page.get_by_role("button", name="Sign in").click()
            expect(self.page.get_by_role("heading", level=1)).to_have_text("Home")

    def look_at(self, address: str, text: str) -> None:
        """Open a page that has `text`, and look at it."""
        self.page.goto(address)
        expect(self.page.locator("main")).to_contain_text(text)
        self.look()

    def look(self) -> None:
        """Look at the open page in every way, and fail with what is wrong.

        All rules at both widths, each in another theme. In the theme that is left, a
        width needs only the colours of words that stand where none were looked at yet
        in that theme, here or on another page: colours depend on nothing else.
        """
        expect(self.page.locator("h1")).to_have_count(1)
        assert left_out() & set(self.page.evaluate(CLASSES)) == set()
        self._show(DESK, "light")
        no_axe_findings(self.page)
        no_small_targets(self.page)
        at_desk = self._places("light")
        self._show(PHONE, "dark")
        no_axe_findings(self.page)
        no_small_targets(self.page)
        at_phone = self._places("dark")
        self._look_at_colours(at_phone, PHONE, "light")
        self._look_at_colours(at_desk, DESK, "dark")
        assert not self.complaints, self.complaints
        self._take_pictures()

    def _take_pictures(self) -> None:
        """Keep pictures of the page in `BROWSER_SHOTS`, for people to look at."""
        folder = os.environ.get("BROWSER_SHOTS")
        if not folder:
            return
        test = os.environ["PYTEST_CURRENT_TEST"].rpartition("::")[2]
        name = re.sub(r"\W+", "-", test.removesuffix(" (call)")).strip("-")
        self.taken[name] = number = self.taken.get(name, 0) + 1
        for width in (DESK, PHONE):
            for theme in get_args(Theme):
                self._show(width, theme)
                # The head of a page stays in sight: in the middle of a scrolled one.
                self.page.evaluate("scrollTo(0, 0)")
                path = Path(folder) / f"{name}-{number}-{width}-{theme}.png"
                # Hidden carets leave empty inline styles, which the policy refuses
                # once htmx copies them.
                self.page.screenshot(path=path, full_page=True, caret="initial")

    def _places(self, theme: Theme) -> set[str]:
        """Return where words are seen, and remember that they were looked at."""
        places = set(self.page.evaluate(WORDS, [TOO_MANY, None]))
        self.looked_at[theme] |= places
        return places

    def _look_at_colours(self, places: set[str], width: int, theme: Theme) -> None:
        new = places - self.looked_at[theme]
        if not new:
            return
        self._show(width, theme)
        words = self.page.evaluate_handle(WORDS, [TOO_MANY, sorted(new)])
        no_axe_findings(self.page, colours_of=words)
        self.looked_at[theme] |= new

    def _show(self, width: int, theme: Theme) -> None:
        self.page.set_viewport_size({"width": width, "height": 900})
        self.page.emulate_media(color_scheme=theme)
        html = self.page.locator("html")
        expect(html).to_have_attribute("data-bs-theme", theme)
        overflow = "document.documentElement.scrollWidth - innerWidth"
        assert self.page.evaluate(overflow) <= 0, (width, theme)
