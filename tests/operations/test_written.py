"""Values that are written into queries are numbers and words of ours alone."""

import pytest
from django.db.models import Value

from operations.models import Operation
from operations.models.written import Written


@pytest.mark.django_db
@pytest.mark.parametrize("value", ["it's", 'a"b', "a b", "é", "%s", 1.5, b"x"])
def test_nothing_else_is_written(value: object) -> None:
    found = Operation.objects.filter(state=Written(Value(value)))
    with pytest.raises(ValueError, match="neither a number nor a word of ours"):
        str(found.query)


@pytest.mark.django_db
@pytest.mark.parametrize("value", [7, "unknown"])
def test_it_has_no_parameters(value: object) -> None:
    found = Operation.objects.filter(rows_sent=Written(Value(value)))
    _, params = found.query.sql_with_params()
    assert params == ()
