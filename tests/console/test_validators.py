"""What single values from outside are taken for."""

import pytest

from console.validators import whole_number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("007", 7),
        ("999999999", 999_999_999),
        ("1000000000", None),
        ("", None),
        ("-1", None),
        (" 1", None),
        ("1.0", None),
        ("\u0661", None),
        ("\u00b2", None),
        ("9" * 5000, None),
    ],
)
def test_a_number_from_outside_is_plain_and_not_too_large(
    text: str, number: int | None
) -> None:
    assert whole_number(text) == number
