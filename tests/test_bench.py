"""The lines that benchmarks print."""

import pytest

from bench import faults, figures, table


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


def test_the_table_sets_others_beside_our_two_paths() -> None:
    lines = [
        "figure check_150mib_25_columns_sha256 100 ms limit none ok",
        "figure check_150mib_25_columns_fast_process 1.5 s limit none ok",
        "figure check_150mib_25_columns_fast_processor 2 s limit none ok",
        "figure check_150mib_25_columns_fast_peak 80 MiB limit none ok",
        "figure check_150mib_25_columns_exact_process 12 s limit none ok",
        "figure check_150mib_25_columns_exact_processor 11 s limit none ok",
        "figure other_sha256_150mib 200 ms limit none ok",
        "figure other_csvclean_150mib 5 s limit none ok",
        "figure other_csvclean_150mib_processor 4.5 s limit none ok",
        "figure other_csvclean_150mib_over_sha256 25 ratio limit none ok",
        "figure faults_told_by_console_fast 12 of_12 limit none ok",
    ]
    rows = [line.split() for line in table.table(lines)[1:]]
    assert rows == [
        ["console_fast", "1.50", "2", "15", "80", "12"],
        ["csvclean", "5", "4.50", "25", "-", "-"],
        ["console_exact", "12", "11", "120", "-", "-"],
    ]


def test_there_is_no_table_without_the_figures_for_it() -> None:
    assert table.table(["figure split_150mib 213.5 ms limit none ok"]) == []


def test_each_small_file_differs_from_the_sound_one_in_the_row_at_fault() -> None:
    sound = faults.SOUND.split(b"\n")
    assert len(faults.FAULTS) == 12
    for name, text in faults.FAULTS.items():
        pairs = zip(sound, text.split(b"\n"), strict=True)
        changed = [row for row, (was, now) in enumerate(pairs, 1) if was != now]
        assert changed == [faults.FAULTY], name
