"""What an operator does, step by step, by the labels that people rely on."""

import csv
import io
import re
from collections import Counter
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

# The page of an operation that was asked about more than once.
ASKED_AGAIN = re.compile(r"\b([2-9]|[1-9][0-9]+) times\b")

GROUPS = {"Demo customer": "demo-group-id", "Sample customer": "sample-org-id"}


def choose_target(page: Page, object_name: str, group: str = "Demo customer") -> None:
    """Fill in where a write goes; what misbehaves has a project of its own."""
    project = "Faults" if object_name.startswith("fault_") else "Demo"
    page.get_by_label("Project").select_option(label=project)
    pick(page, "Integration", "salesforce", project)
    pick(page, "Object", object_name, project)
    pick(page, "Customer", f"{group} ({GROUPS[group]})", project)


def pick(page: Page, label: str, option: str, project: str) -> None:
    """Choose an option of a project; without JavaScript those of all are there."""
    control = page.get_by_label(label, exact=True)
    value = control.evaluate(
        """(select, [label, project]) => [...select.options].find((option) => {
          const group = option.parentElement.label;
          const fits = !group || group === project || group.startsWith(`${project}:`);
          return option.label === label && fits;
        }).value""",
        [option, project],
    )
    control.select_option(value)


def review_record(page: Page, object_name: str, fields: dict[str, str]) -> None:
    """Fill in the form for a new record, and go to its review."""
    page.goto("/writes/record/")
    choose_target(page, object_name)
    for number, (name, value) in enumerate(fields.items(), start=1):
        page.get_by_label(f"Field {number}", exact=True).fill(name)
        page.get_by_label(f"Value {number}", exact=True).fill(value)
    review(page)


def upload(
    page: Page, object_name: str, key: str, file: Path, group: str = "Demo customer"
) -> None:
    """Fill in the form for a file, and press Review."""
    page.goto("/writes/csv/")
    choose_target(page, object_name, group)
    page.get_by_label("Primary key").fill(key)
    page.get_by_label("CSV file").set_input_files(file)
    page.get_by_role("button", name="Review").click()


def review_csv(
    page: Page, object_name: str, key: str, file: Path, group: str = "Demo customer"
) -> None:
    """Upload a sound file and go to its review, past warnings if there are some."""
    upload(page, object_name, key, file, group)
    request = page.get_by_role("heading", name="Request", exact=True)
    # A large file is checked meanwhile, and goes on by itself if nothing is wrong.
    expect(request.or_(verdict(page))).to_be_visible()
    if verdict(page).is_visible():
        go_to_review(page)
    expect(request).to_be_visible()


def review(page: Page) -> None:
    """Press Review and wait for the page with the exact request."""
    page.get_by_role("button", name="Review").click()
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()


def send(page: Page) -> None:
    """Press Send and wait for the page of the operation.

    Tests share a console, and some share a file: what another one sent is sent again.
    """
    again = page.get_by_label("Why send it again?")
    if again.count():
        again.fill("Another test sent it")
    page.get_by_role("button", name="Send").click()
    page.wait_for_url("**/operations/*/")


def expect_state(page: Page, state: str, within: str = "main") -> None:
    """Wait until the first operation shown is in `state`, a value of its model."""
    shown = page.locator(f"{within} .state").first
    expect(shown).to_have_class(re.compile(rf"\bstate-{state}\b"))


# --- The page of a file ---------------------------------------------------------


def verdict(page: Page) -> Locator:
    """The sentence that says whether the file can be sent, once it is checked."""
    return page.locator("#verdict-heading")


def change_file(page: Page, button: Locator) -> None:
    """Press a button that changes what is sent, and wait until that is checked."""
    with page.expect_navigation():
        button.click()
    expect(verdict(page)).to_be_visible()


def read_so(page: Page) -> None:
    """Agree to the way in which the file is to be read."""
    change_file(page, page.get_by_role("button", name="Read file"))


def finding(page: Page, rule: str, column: str = "") -> Locator:
    """The group of the findings of one rule in one column; "" is the whole file."""
    of_rule = page.locator(f'input[name="rule"][value="{rule}"]')
    of_column = page.locator(f'input[name="column"][value="{column}"]')
    return page.locator("main .finding-group").filter(has=of_rule).filter(has=of_column)


def opened(group: Locator) -> Locator:
    """Open a group of findings, which the page may have left closed."""
    if group.get_attribute("open") is None:
        group.locator("summary").first.click()
    return group


def expect_finding(page: Page, rule: str, column: str, total: int) -> None:
    """Expect a group of findings that names its total."""
    found = finding(page, rule, column)
    expect(found.locator("summary").first).to_contain_text(
        re.compile(rf"(?<![\d,]){total:,}(?![\d,])")
    )


def leave_out(page: Page, rule: str, column: str = "") -> None:
    """Leave the rows of a group of findings out."""
    group = opened(finding(page, rule, column))
    change_file(page, group.locator('button[value="leave-out"]'))


def edit_cells(page: Page, rule: str, column: str, value: str) -> None:
    """Write `value` into each cell of a group of findings."""
    group = opened(finding(page, rule, column))
    one_by_one = group.locator(".one-by-one")
    if one_by_one.count():
        opened(one_by_one)
    for cell in group.locator('input[name="cell"]').all():
        cell.fill(value)
    change_file(page, group.get_by_role("button", name="Save cells"))


def apply_columns(page: Page) -> None:
    """Do what was chosen for the columns."""
    change_file(page, page.get_by_role("button", name="Apply and check again"))


def leave_column_out(page: Page, column: str) -> None:
    """Choose to leave a column out, to be applied."""
    page.get_by_label(f"Exclude {column}", exact=True).check()


def go_to_review(page: Page) -> None:
    """Go from a file without faults to its review."""
    page.locator("#verdict").get_by_role("link", name="Review").click()
    expect(page.get_by_role("heading", name="Request", exact=True)).to_be_visible()


def findings_of(page: Page) -> Counter[tuple[str, str]]:
    """Count all findings of the file by rule and column, as its download tells them."""
    link = page.get_by_role("link", name="Download CSV")
    text = page.request.get(str(link.get_attribute("href"))).text()
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    return Counter((row["rule"], row["column"]) for row in rows)


# --- What became of the rows ----------------------------------------------------


def tiles(page: Page) -> dict[str, int]:
    """Return the numbers of the page by what they are called."""
    texts = page.locator("main dl .tile").all_inner_texts()
    found = [re.fullmatch(r"(.+?)\s+([\d,]+)", text.strip()) for text in texts]
    return {m[1]: int(m[2].replace(",", "")) for m in found if m}


def rows_table(page: Page) -> Locator:
    """The lines of the table on the page of rows."""
    return page.get_by_role("region", name="Rows", exact=True).locator("tbody tr")


def table(page: Page, region: str) -> list[dict[str, str]]:
    """Return the lines of a table by the heads of its columns."""
    found = page.get_by_role("region", name=region, exact=True).locator("table").first
    heads = found.locator("thead th").all_inner_texts()
    lines = found.locator("tbody tr").all()
    return [
        dict(zip(heads, line.locator("th, td").all_inner_texts(), strict=True))
        for line in lines
    ]


def number(text: str) -> int:
    """Return what a number in a page says."""
    return int(text.replace(",", ""))
