"""The file of findings: what `csv` would write, and reads again."""

import csv
import io
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from files.findings import Finding
from files.findings_file import COLUMNS, FindingsFile, read_findings

TEXTS = st.text(max_size=8) | st.sampled_from(
    ['a,"b"', "line\nend", "\r", " ", "", "\x1f\x85\u2028", "é", "\ud800"]
)
PLACES = st.none() | st.integers(1, 2_000_000)
FINDINGS = st.builds(
    Finding,
    level=st.sampled_from(["blocks", "warns", "notes"]),
    rule=st.sampled_from(["repeated-key", "date"]),
    message=TEXTS,
    row=PLACES,
    line=PLACES,
    column=st.none() | TEXTS,
    value=st.none() | TEXTS,
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(FINDINGS, st.integers(1, 3))))
def test_findings_are_written_as_csv(
    tmp_path: Path, found: list[tuple[Finding, int]]
) -> None:
    """Some follow on themselves but for their row, as those of one key do."""
    findings = [
        one._replace(row=number) if number else one
        for one, times in found
        for number in range(times)
    ]
    path = tmp_path / "findings"
    with FindingsFile(path) as file:
        for one in findings:
            file.add(one)
    wanted = io.StringIO()
    writer = csv.writer(wanted, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(one, name) for name in COLUMNS] for one in findings)
    data = wanted.getvalue().encode(errors="replace")
    assert path.read_bytes() == data
    assert len(list(read_findings(path))) == len(findings)
