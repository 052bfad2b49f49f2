"""Suggesting which field a column is meant for: only where there is no doubt."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from files.field import Field
from files.mending.mapping import suggest

FIELDS = [
    Field(name="CloseDate", label="Close Date"),
    Field(name="External_Id__c", label="Legacy Key"),
    Field(name="StageName", label="Stage"),
    Field(name="Phone", label="Phone"),
    Field(name="Fax__c", label="Phone 2"),
    Field(name="Street_1__c", label="Street"),
    Field(name="Street_2__c", label="Street"),
    Field(name="AccountId", label="Account ID", relationship="Account"),
    Field(name="AccountName__c", label="Name of account"),
    Field(name="Sum__c", label="Sum", is_creatable=False, is_updateable=False),
]

SUGGESTED: list[tuple[list[str], dict[str, str]]] = [
    (["CloseDate"], {}),
    (["closedate"], {"closedate": "CloseDate"}),
    (["Close Date"], {"Close Date": "CloseDate"}),
    (["close_date"], {"close_date": "CloseDate"}),
    (["CLOSE-DATE "], {"CLOSE-DATE ": "CloseDate"}),
    (["External ID"], {"External ID": "External_Id__c"}),
    (["legacy key"], {"legacy key": "External_Id__c"}),
    (["Stage"], {"Stage": "StageName"}),
    (["phone 2"], {"phone 2": "Fax__c"}),
    (["Phone2"], {"Phone2": "Fax__c"}),
    # Two fields could be meant, or two columns could mean it.
    (["Street"], {}),
    (["Street 1"], {"Street 1": "Street_1__c"}),
    (["Close Date", "close date"], {}),
    (["Close Date", "Close Date"], {}),
    # The nearer name wins, and what is there already always does.
    (["closedate", "Close Date"], {"closedate": "CloseDate"}),
    (["CloseDate", "Close Date"], {}),
    (["Close Date", "close date", "close_date"], {}),
    # A relationship column is a field's already.
    (["Account.Name"], {}),
    (["Other.CloseDate"], {}),
    (["Account Name"], {"Account Name": "AccountName__c"}),
    # Nobody can write it.
    (["sum"], {}),
    (["", " ", "###", "Unknown"], {}),
    (["#2", "stage"], {"stage": "StageName"}),
]


@pytest.mark.parametrize(("header", "suggested"), SUGGESTED)
def test_suggestions(header: list[str], suggested: dict[str, str]) -> None:
    assert suggest(header, FIELDS) == suggested


NAME = st.text(st.sampled_from("aAbB _.#1"), max_size=4)


@given(st.lists(NAME, max_size=6), st.lists(st.tuples(NAME, NAME), max_size=6))
def test_no_field_is_suggested_twice_or_beside_its_column(
    header: list[str], named: list[tuple[str, str]]
) -> None:
    fields = [Field(name=name, label=label) for name, label in named if name]
    names = list(suggest(header, fields).values())
    assert len(names) == len(set(names))
    assert set(names) <= {field.name for field in fields} - set(header)
