"""That the version before works with the tables of this one, while it is replaced.

tests/machines/test_upgrade.py runs it. This says of each migration since then what old
code cannot live with: a table or column that is gone, and one that it does not fill.
"""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

# The last migrations of the version before; a release writes its own here.
RELEASED = (
    ("console", "0001_initial"),
    ("operations", "0001_initial"),
    ("writes", "0001_initial"),
)
# Why old code keeps to rules that came later.
KEPT_TO = {
    "api_key_has_a_value_until_revoked": "a trigger takes the value",
    "operation_environment_known": "a trigger puts it in",
    "project_api_url_for_keys": "only a form breaks it: docs/operating.md warns",
    "project_search_url_for_keys": "it has a default",
    "project_write_url_for_keys": "only a form breaks it: docs/operating.md warns",
    "write_bulk_deletion_has_key": "it has a default",
    "write_deadline_fits": "it is empty",
    "write_names_record": "its own rule said no less",
}


def test_old_code_finds_all_that_it_knows_and_fills_all_that_it_must() -> None:
    loader = MigrationLoader(None)
    state = loader.project_state(RELEASED)
    before = state.clone()
    done = {key for node in RELEASED for key in loader.graph.forwards_plan(node)}
    found = []
    leaves = [node for node in loader.graph.leaf_nodes() if node[0] in OURS]
    for leaf in leaves:
        for key in loader.graph.forwards_plan(leaf):
            if key not in done:
                done.add(key)
                state = loader.graph.nodes[key].mutate_state(state)
                found += [f"{key}: {each}" for each in troubles(before, state)]
    assert found == []


OURS = {app for app, _ in RELEASED}


def troubles(before: ProjectState, now: ProjectState) -> Iterator[str]:
    """Yield what code of the one state meets in a database of the other."""
    for key, old in before.models.items():
        if key[0] not in OURS:
            continue
        new = now.models.get(key)
        if new is None or _table(new) != _table(old):
            yield f"{old.name} is gone"
        else:
            yield from _of_columns(old, new)
            yield from _of_rules(old, new)


def _table(model: ModelState) -> str:
    return model.options.get("db_table") or f"{model.app_label}_{model.name_lower}"


def _of_columns(old: ModelState, new: ModelState) -> Iterator[str]:
    for name in old.fields.keys() - new.fields.keys():
        yield f"{old.name}.{name} is gone"
    for name, field in new.fields.items():
        if name in old.fields:
            is_new_duty = not field.null and old.fields[name].null
        else:
            is_new_duty = not field.null and not field.has_db_default()
        if is_new_duty and not isinstance(field, models.ManyToManyField):
            yield f"{old.name}.{name} has to be filled in, and old code does not"


def _of_rules(old: ModelState, new: ModelState) -> Iterator[str]:
    names = {each.name for each in old.options.get("constraints", ())}
    for each in new.options.get("constraints", ()):
        if each.name not in names and each.name not in KEPT_TO:
            yield f"{old.name} has the rule {each.name}, and old code does not know it"


@pytest.mark.parametrize(
    ("field", "is_filled"),
    [
        (models.TextField(), False),
        (models.TextField(default=""), False),
        (models.TextField(null=True), True),
        (models.TextField(db_default=""), True),
    ],
)
def test_a_new_column_is_empty_or_filled_by_the_database(
    field: models.Field[object, object], is_filled: bool
) -> None:
    before, now = (ProjectState.from_apps(apps) for _ in range(2))
    now.add_field("writes", "write", "new", field, preserve_default=True)
    assert (list(troubles(before, now)) == []) is is_filled


def test_what_old_code_reads_stays() -> None:
    before, now = (ProjectState.from_apps(apps) for _ in range(2))
    now.remove_field("writes", "write", "reason")
    now.remove_model("operations", "gate")
    assert sorted(troubles(before, now)) == ["Gate is gone", "Write.reason is gone"]
