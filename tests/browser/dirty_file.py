"""A file as other people's CRMs export it: 22 MiB of opportunities, 16 kinds of faults.

It has been through a German Excel: a BOM, CRLF, and semicolons between the columns.
Where each fault stands is fixed, so that a test can tell every number beforehand.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SEED = 20_260_301
# More than what two requests take: it goes in three parts.
SIZE = 22 * 2**20
ROWS = 8_200

ACCOUNTS = tuple(f"ACC-{number:03}" for number in range(1, 41))
# Nobody made these at the customer: no check of the file can see that.
MISSING = ("ACC-901", "ACC-902", "ACC-903")
MISSING_EVERY = 400
OWNER = "0055g00000AbCdEAAV"
ALTERED_OWNER = "0055g00000AbCDEAAV"

# The columns as the file names them; the rest of a row is filled from `_plain`.
SENT = {
    "external_id__c": "external_id__c",
    "Name": "Name",
    "Stage Name": "StageName",
    "Close Date": "CloseDate",
    "Account.external_id__c": "Account.external_id__c",
    "Amount": "Amount",
    "Probability": "Probability",
    "Type": "Type",
    "Lead Source": "LeadSource",
    "Next Step": "NextStep",
    "Description": "Description",
    "Is Private": "IsPrivate",
    "OwnerId": "OwnerId",
}
READ_ONLY = ("IsClosed", "IsWon", "CreatedDate", "LastModifiedDate")
UNKNOWN = (
    *("Region", "Legacy CRM Id", "Campaign", "Competitor", "Forecast Owner"),
    *("Sales Office", "Partner Code", "Currency Note"),
)
COLUMNS = (*SENT, *READ_ONLY, *UNKNOWN)

_NOTE = (
    "the customer asked twice about delivery terms and wants a new price for the north "
    "harbour office; Müller said they decide after the fair in Köln, with a Señor from "
    "Zürich, naïve about costs – a café owner, really, who pays in €, signs late but "
    "orders early, and calls every other Friday with questions about spare parts"
)
WORDS = _NOTE.split()


@dataclass
class DirtyFile:
    """What was written: rows of each fault, numbered as a spreadsheet shows them.

    `missing` has the keys of the rows that only Salesforce can refuse, each with the
    account that it lacks.
    """

    path: Path
    rows: int = 0
    faults: dict[str, list[int]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def failing(self) -> list[str]:
        """The keys of the rows that Salesforce will refuse, in their order."""
        return list(self.missing)

    @property
    def left_out(self) -> int:
        """How many rows have a fault for which a row is left out."""
        return len({row for name in LEFT_OUT for row in self.faults[name]})


# Where the faults stand, by the row that a spreadsheet shows.
PLACES = {
    "blank-key": range(101, 112),
    "repeated-key": range(1_001, 1_025),
    "empty-row": range(2_001, 2_006),
    "ragged-row": range(3_001, 3_010),
    # Some records are bad in more than one way.
    "too-long": range(4_001, 4_031),
    "number": range(4_001, 4_018),
    "altered-id": range(4_012, 4_031),
    "null": range(6_001, 6_041),
    "key-spaces": range(7_001, 7_031),
    "boolean": range(8_001, 8_004),
}
# Leaving these rows out leaves no fault for which a row must be left out.
LEFT_OUT = ("blank-key", "repeated-key", "empty-row", "ragged-row", "too-long")


def write(path: Path) -> DirtyFile:
    """Write the file and return what is in it."""
    made = DirtyFile(path, rows=ROWS)
    made.faults = {fault: list(places) for fault, places in PLACES.items()}
    faults_at: dict[int, list[str]] = {}
    for fault, rows in PLACES.items():
        for row in rows:
            faults_at.setdefault(row, []).append(fault)
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        out.write(";".join(COLUMNS) + "\r\n")
        for row, cells in enumerate(_plain(), start=2):
            faults = faults_at.get(row, [])
            if row % MISSING_EVERY == 0 and not faults:
                account = MISSING[row // MISSING_EVERY % len(MISSING)]
                cells["Account.external_id__c"] = account
                made.missing[cells["external_id__c"]] = account
            for fault in faults:
                _spoil(cells, fault, row)
            out.write(";".join(_cell(cell) for cell in cells.values()) + "\r\n")
    return made


def _plain() -> Iterator[dict[str, str]]:
    """Yield sound rows, but for their dates, which are all in US order."""
    chance = random.Random(SEED)  # noqa: S311 - the same each time
    texts = [_text(chance) for _ in range(400)]
    for number in range(1, ROWS + 1):
        month, day = number % 12 + 1, number % 28 + 1
        sent = (
            f"OPP-{number:06}",
            f"Renewal {number} with {chance.choice(WORDS)}",
            chance.choice(("Prospecting", "Qualification", "Closed Won")),
            f"{month:02}/{day:02}/2026",
            ACCOUNTS[number % len(ACCOUNTS)],
            f"{number * 37 % 90_000}.50",
            str(number % 100),
            chance.choice(("New Business", "Existing Business")),
            chance.choice(("Web", "Partner Referral", "")),
            " ".join(chance.choices(WORDS, k=5)),
            chance.choice(texts),
            chance.choice(("true", "false")),
            OWNER,
        )
        others = ("false", "false", "2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z")
        rest = (f"{name[:3]}-{number % 97}" for name in UNKNOWN)
        yield dict(zip(COLUMNS, (*sent, *others, *rest), strict=True))


def _text(chance: random.Random) -> str:
    """Return a note of some 2,800 bytes; one in four has line breaks and quotes."""
    words = chance.choices(WORDS, k=470)
    if chance.random() < 0.25:
        words[40], words[90] = 'said “no”, then "maybe"', "later\nand again"
    return " ".join(words)


def _spoil(cells: dict[str, str], fault: str, row: int) -> None:
    match fault:
        case "empty-row":
            cells.clear()
        case "ragged-row":
            del cells[COLUMNS[-1]]
        case "blank-key":
            cells["external_id__c"] = ""
        case "repeated-key":
            # Pairs: each key stands in two rows.
            cells["external_id__c"] = f"OPP-TWICE-{(row - 1) // 2:05}"
        case "too-long":
            cells["Name"] = "A name that goes on and on" * 5
        case "number":
            cells["Amount"] = f"{row:,}.00"
        case "altered-id":
            cells["OwnerId"] = ALTERED_OWNER
        case "null":
            cells["Next Step"] = "#N/A"
        case "key-spaces":
            cells["external_id__c"] += "  "
        case "boolean":
            cells["Is Private"] = "vielleicht"


def _cell(text: str) -> str:
    if not any(sign in text for sign in ';"\n'):
        return text
    return '"' + text.replace('"', '""') + '"'
