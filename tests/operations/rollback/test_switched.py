"""Triggers that somebody has switched, and foreign keys that somebody has made anew: they stop no restore, and what
does not come back as it was is told."""
# ruff: noqa: S608 (statements of our own making)

import io
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import Engine

from operations.findings import Findings
from operations.phase1 import Shape
from operations.rollback import restore
from tests.fixtures.databases import Alembic
from tests.operations.rollback.conftest import Fill, execute, finding, roll_back
from tests.operations.rollback.test_events_by_month import PAST_BOUND
from tests.operations.rollback.test_of_others import TRIGGER

METRICS, MARK = "analytics.cross_platform_metrics", "cross_platform_metrics_mark_platform_comparison"
CHARTS, EVENTS = "analytics.trend_cache", "analytics.analytics_events"


def there_and_back(engine: Engine, meanwhile: str = "SELECT", target: str = "1.0.0") -> tuple[Findings, list[str]]:
    """What a restore found, and the statements that it printed."""
    engine.dispose()
    roll_back(engine.url, target)
    Alembic(engine.url).upgrade()
    execute(engine.url, meanwhile)
    said = io.StringIO()
    found = restore.restore(engine.url, 1, restore.Choice(False, False), Console(file=said, width=500))
    return found, said.getvalue().partition("with the rows:")[2].strip().splitlines()


def constraint(engine: Engine, name: str) -> list[tuple[Any, ...]]:
    statement = "SELECT pg_get_constraintdef(oid), convalidated FROM pg_constraint WHERE conname = '{}'"
    return execute(engine.url, statement.format(name))


@pytest.mark.parametrize("state", ["ENABLE ALWAYS", "ENABLE REPLICA", "DISABLE"])
def test_how_a_trigger_of_ours_was_switched_is_told(filled: Engine, state: str) -> None:
    switch = f"ALTER TABLE {METRICS} {state} TRIGGER {MARK};"
    execute(filled.url, switch)
    found, said = there_and_back(filled)
    assert f"{METRICS} moved back whole" in finding(found, "restored").detail
    assert finding(found, "others' objects").verdict == "warning"
    assert said == [switch]
    assert execute(filled.url, f"SELECT tgenabled FROM pg_trigger WHERE tgname = '{MARK}'") == [("O",)]


def test_not_where_it_is_switched_so_again(fill: Fill) -> None:
    engine = fill(Shape.TABLE)
    switch = f"ALTER TABLE {METRICS} ENABLE ALWAYS TRIGGER {MARK};"
    execute(engine.url, switch)
    assert there_and_back(engine, meanwhile=switch)[1] == []


def test_with_a_tree_of_events_it_stays(fill: Fill) -> None:
    """The way back from 2.1.0 and the upgrade leave a trigger as it is switched."""
    engine = fill(Shape.TABLE)
    execute(engine.url, f"{PAST_BOUND}; ALTER TABLE {EVENTS} ENABLE ALWAYS TRIGGER analytics_events_inserted;")
    found, said = there_and_back(engine, target="2.0.7")
    assert f"{EVENTS} moved back whole" in finding(found, "restored").detail
    assert said == []
    state = f"SELECT tgenabled FROM pg_trigger WHERE tgrelid = '{EVENTS}'::regclass AND tgname LIKE '%inserted'"
    assert execute(engine.url, state) == [("A",)]


@pytest.mark.parametrize("kept", ["NOT VALID", "ON DELETE CASCADE", "ON DELETE CASCADE NOT VALID"])
def test_a_foreign_key_of_ours_that_was_another_one(fill: Fill, kept: str) -> None:
    engine, name = fill(Shape.TABLE), "trend_cache_niche_id_fkey"
    reference = "FOREIGN KEY (niche_id) REFERENCES public.features(niche_id)"
    anew = f"ALTER TABLE {CHARTS} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {reference} {kept};"
    execute(engine.url, anew)
    found, said = there_and_back(engine)
    assert f"{CHARTS} moved back whole" in finding(found, "restored").detail
    assert constraint(engine, name) == [(reference.replace("public.", ""), True)]
    assert said == ([] if kept == "NOT VALID" else [anew])


@pytest.mark.parametrize(
    "theirs",
    [
        "FOREIGN KEY (trend_id) REFERENCES few(id) NOT VALID",
        "CHECK ((trend_id < 0)) NOT VALID",
        "FOREIGN KEY (trend_id) REFERENCES many(id)",
    ],
    ids=["foreign key", "check", "valid"],
)
def test_a_constraint_of_others_is_as_valid_as_it_was(fill: Fill, theirs: str) -> None:
    engine = fill(Shape.TABLE)
    for table, rows in (("few", 1), ("many", 99)):
        execute(engine.url, f"CREATE TABLE public.{table} (id bigint PRIMARY KEY)")
        execute(engine.url, f"INSERT INTO public.{table} SELECT generate_series(1, {rows})")
    execute(engine.url, f"ALTER TABLE {CHARTS} ADD CONSTRAINT theirs {theirs}")
    found, _ = there_and_back(engine)
    assert f"{CHARTS} moved back whole" in finding(found, "restored").detail
    assert constraint(engine, "theirs") == [(theirs, not theirs.endswith(" NOT VALID"))]


def test_a_trigger_of_others_that_they_have_made_anew(fill: Fill) -> None:
    engine = fill(Shape.TABLE)
    execute(engine.url, TRIGGER.format(CHARTS))
    execute(engine.url, switch := f"ALTER TABLE {CHARTS} DISABLE TRIGGER theirs;")
    anew = f"DROP FUNCTION public.noted() CASCADE; {TRIGGER.format(CHARTS)}"
    found, said = there_and_back(engine, meanwhile=anew)
    assert f"{CHARTS} moved back whole" in finding(found, "restored").detail
    assert said == [switch]
    assert execute(engine.url, "SELECT tgenabled FROM pg_trigger WHERE tgname = 'theirs'") == [("O",)]


def test_a_foreign_key_of_others_between_archived_tables_is_told(fill: Fill) -> None:
    """Added with the first of them, it would be in the way of the other."""
    engine = fill(Shape.TABLE)
    theirs = f"ALTER TABLE {METRICS} ADD CONSTRAINT theirs FOREIGN KEY (metric_id) REFERENCES {CHARTS}(trend_id)"
    execute(engine.url, theirs)
    found, said = there_and_back(engine)
    assert f"{METRICS} moved back whole" in finding(found, "restored").detail
    assert f"{CHARTS} moved back whole" in finding(found, "restored").detail
    assert said == [f"{theirs};"]
    execute(engine.url, theirs)
