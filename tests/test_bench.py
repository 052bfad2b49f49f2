"""The lines that benchmarks print."""

import pytest

from bench import figures


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No figure of another test fell short."""
    monkeypatch.setattr(figures, "_short", [])


@pytest.mark.parametrize(
    ("value", "limit", "line"),
    [
        (12.344, {}, "12.34 ms limit none ok"),
        (1.5, {"at_most": 1.5}, "1.5 ms limit 1.5 ok"),
        (1.504, {"at_most": 1.5}, "1.5 ms limit 1.5 SHORT"),
        (10, {"exactly": 10}, "10 ms limit 10 ok"),
        (9, {"exactly": 10}, "9 ms limit 10 SHORT"),
        (0, {"exactly": 0}, "0 ms limit 0 ok"),
    ],
)
def test_a_figure_is_one_line_and_decides_the_exit(
    value: float,
    limit: dict[str, float],
    line: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    figures.figure("name", value, "ms", **limit)
    assert capsys.readouterr().out == f"figure name {line}\n"
    with pytest.raises(SystemExit) as ended:
        figures.finish()
    assert ended.value.code == line.endswith("SHORT")
