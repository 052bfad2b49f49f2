import copy
import json
import pickle

import pytest

from ampersand import SecretStr, redact

SECRET = SecretStr("sk-12345678")


@pytest.mark.parametrize("show", [str, repr, "{}".format, "{!r}".format, "%s".__mod__])
def test_a_secret_never_shows_itself(show):
    assert show(SECRET) == "SecretStr(****)"


@pytest.mark.parametrize("leak", [pickle.dumps, json.dumps, copy.copy, copy.deepcopy])
def test_a_secret_cannot_be_serialised_by_accident(leak):
    with pytest.raises(TypeError):
        leak(SECRET)


def test_secrets_compare_by_value_and_only_with_secrets():
    assert SecretStr("sk-12345678") == SECRET
    assert len({SECRET, SecretStr("sk-12345678")}) == 1
    assert SecretStr("other") != SECRET
    assert SECRET != "sk-12345678"


@pytest.mark.parametrize(
    ("value", "shown"), [("sk-12345678", "••••5678"), ("short", "••••"), ("", "••••")]
)
def test_a_masked_secret_shows_four_characters_unless_it_is_short(value, shown):
    assert SecretStr(value).masked == shown


def test_redact_replaces_every_occurrence_and_ignores_empty_secrets():
    text = "a sk-12345678 b sk-12345678"
    assert redact(text, [SecretStr(""), SECRET]) == "a **** b ****"


def test_redact_leaves_nothing_of_a_secret_that_begins_as_another_one():
    short, long = SecretStr("https://a.example/x"), SecretStr("https://a.example/x/y7")
    for secrets in ([short, long], [long, short]):
        assert redact(f"to {long.reveal()}, to {short.reveal()}.", secrets) == (
            "to ****, to ****."
        )
