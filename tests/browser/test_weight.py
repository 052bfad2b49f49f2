"""What a browser loads that was never here, from the sign-in page to Home."""

from collections.abc import Callable

from playwright.sync_api import Page, Request, expect

from tests.browser.conftest import PASSWORD

MOST_BYTES = 90_000
MOST_REQUESTS = 8


def test_a_first_visit_is_light(open_page: Callable[..., Page]) -> None:
    page = open_page(sign_in=False)
    asked: list[Request] = []
    page.on("requestfinished", lambda request: asked.append(request))

    page.goto("/login/")
    # A browser without a window asks for none.
    icon = page.locator("link[rel=icon]").get_attribute("href")
    page.evaluate("(address) => fetch(address).then((it) => it.text())", icon)
    page.get_by_label("User name").fill("operator")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Home")
    page.wait_for_load_state("networkidle")

    # All of an answer that goes over the line; of what is kept already nothing does.
    weights = {each: weight_of(each) for each in asked if weight_of(each)}
    told = [f"{weight:7,} {each.method} {each.url}" for each, weight in weights.items()]
    total = sum(weights.values())
    assert any(each.url.endswith(".css") for each in asked)
    assert total <= MOST_BYTES, told
    assert len(weights) <= MOST_REQUESTS, told


def weight_of(request: Request) -> int:
    """Return the bytes of an answer's head and body as they were transferred."""
    sizes = request.sizes()
    return sizes["responseHeadersSize"] + sizes["responseBodySize"]
