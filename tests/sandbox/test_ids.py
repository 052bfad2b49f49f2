import pytest

from sandbox import ids


@pytest.mark.parametrize(
    ("short", "suffix"),
    [
        ("001ak00000OQTie", "AAH"),
        ("a0D30000001n7Pi", "EAI"),
        ("001xx000003DGbY", "AAW"),
    ],
)
def test_suffix_of_real_ids(short: str, suffix: str) -> None:
    assert ids.suffix(short) == suffix
    assert ids.normal(short) == ids.normal(short + suffix) == short + suffix


@pytest.mark.parametrize(
    "text", ["", "003xx000001", "001xx000003dgbyAAW", "001xx000003DGbY!AW", "x" * 16]
)
def test_malformed_ids(text: str) -> None:
    assert ids.normal(text) is None


def test_ids_count_up() -> None:
    made = [ids.record_id("a01", number) for number in range(1, 5000)]
    assert len(set(made)) == 4999
    assert all(ids.normal(each) == each and len(each) == 18 for each in made)
