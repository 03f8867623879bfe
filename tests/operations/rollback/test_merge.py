"""Rows back into tables that hold some: in batches, each row once, wherever it was interrupted."""

import re
from collections.abc import Callable
from functools import partial
from itertools import count

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL

from operations.phase1 import Shape
from operations.rollback import kept_columns, merge, plan, rollback
from operations.rollback.conflicts import Conflict
from operations.rollback.restore import Choice
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import counted, once
from tests.operations.rollback.conftest import Fill, bring_back, execute, finding, roll_back, rows

FREE = """
    SELECT setval('analytics.analytics_events_event_id_seq', 10000);
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    VALUES ('view', 'newer', now(), '{}', 3)
"""
NOT_THEIRS = "DELETE FROM analytics.analytics_events WHERE event_source = 'newer'"
PROGRESS = """
    SELECT rows_restored, rows_left FROM sidb.rollback_archived
    WHERE relation = 'analytics.analytics_events' OR relation = 'public.features' ORDER BY relation
"""
BATCH = 700
DEFERRABLE = """
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    VALUES (199, 'chart', 'newer', '{}', '{}', now() + interval '1 day');
    ALTER TABLE analytics.trend_cache
    ADD no bigint GENERATED ALWAYS AS IDENTITY,
    ADD CONSTRAINT theirs UNIQUE (trend_id, niche_id) DEFERRABLE INITIALLY DEFERRED;
"""


@pytest.fixture
def merged(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> tuple[URL, list[str], Callable[[], list[str]]]:
    """A database whose archive of events is merged in several batches; what it held, and what it holds."""
    monkeypatch.setattr(merge, "BATCH", BATCH)
    monkeypatch.setattr(kept_columns, "FEW", 40)
    engine = fill(Shape.TABLE)
    before = rows(engine)
    engine.dispose()
    roll_back(engine.url, "1.0.0")
    Alembic(engine.url).upgrade()
    execute(engine.url, FREE)

    def now() -> list[str]:
        execute(engine.url, NOT_THEIRS)
        return rows(engine)

    return engine.url, before, now


def test_every_row_once(merged: tuple[URL, list[str], Callable[[], list[str]]]) -> None:
    url, before, now = merged
    found = bring_back(url)
    restored = finding(found, "restored").detail
    assert "analytics.analytics_events 3,000 rows; " in restored
    assert "public.features 150 rows" in restored
    assert "left in the archive" not in restored
    assert found.next_step.startswith("sidb verify; then `sidb backfill resume`")
    assert now() == before


class StoppedError(Exception):
    pass


@pytest.mark.parametrize("relation", ["analytics_events", "features"])
def test_interrupted_between_two_batches(merged: tuple[URL, list[str], Callable[[], list[str]]], relation: str) -> None:
    """The next run goes on behind the place that was reached: a row that somebody changed since is no conflict."""
    url, before, now = merged
    batches = count(1)

    def at_the_third(_: int, statement: str) -> None:
        if re.search(rf"SELECT max.*{relation}.* AS following", statement) and next(batches) == 3:
            raise StoppedError

    with pytest.raises(StoppedError):
        counted(partial(bring_back, url), at_the_third)
    if relation == "analytics_events":
        changed = f"WHERE event_id IN (5, {2 * BATCH})"  # the place itself, too
        execute(url, f"UPDATE analytics.analytics_events SET event_data = '{{\"mine\": 1}}' {changed}")  # noqa: S608
        assert execute(url, PROGRESS)[0] == (2 * BATCH, 0)
    assert bring_back(url).exit_code == 0
    assert execute(url, PROGRESS) == [(3_000, 0), (150, 0)]
    if relation == "analytics_events":
        found = execute(url, f"SELECT event_data FROM analytics.analytics_events {changed}")  # noqa: S608
        assert found == [({"mine": 1},)] * 2
        put_back = "UPDATE analytics.analytics_events SET event_data = jsonb_build_object('n', event_id)"
        execute(url, f"{put_back} {changed}")
    assert now() == before


def test_a_row_that_takes_a_key_while_they_come_back(
    merged: tuple[URL, list[str], Callable[[], list[str]]],
) -> None:
    url, *_ = merged
    taken = """
        INSERT INTO analytics.analytics_events (event_id, event_type, event_source, event_timestamp, event_data)
        OVERRIDING SYSTEM VALUE
        SELECT event_id, 'view', 'newer', event_timestamp, '{}' FROM sidb_archive_1.analytics_events WHERE event_id = 5
    """
    with pytest.raises(OnlineError, match=r"analytics.analytics_events: .* It was written just now") as refused:
        counted(partial(bring_back, url), once("WITH chosen AS MATERIALIZED", partial(execute, url, taken)))
    assert "`sidb restore 1 --renumber`, or --skip; it continues where it stopped" in refused.value.next_step
    found = bring_back(url, renumber=True)
    assert found.exit_code == 0, found.findings
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events WHERE event_source = 'web'") == [(3_000,)]


def test_a_key_of_which_a_part_is_null_is_a_key(fill: Fill) -> None:
    """What is recommended to everybody, once."""
    engine = fill(Shape.TABLE)
    engine.dispose()
    url = engine.url
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    again = """
        INSERT INTO analytics.content_recommendations (
            recommendation_id, niche_id, content_type, title, description, opportunity_score, model_version, valid_until
        )
        OVERRIDING SYSTEM VALUE
        SELECT 1000, niche_id, content_type, title, 'newer', 0.5, '2', valid_until
        FROM sidb_archive_1.content_recommendations WHERE niche_id = 3
    """
    execute(url, again)
    named = "content_recommendations: 1 rows whose niche_id, user_id, content_type, title a newer row has"
    with pytest.raises(OnlineError, match=named):
        bring_back(url)
    bring_back(url, skip=True)
    kept = "SELECT count(*), count(*) FILTER (WHERE description = 'newer') FROM analytics.content_recommendations"
    assert execute(url, kept) == [(40, 1)]


@pytest.mark.parametrize(("renumber", "charts"), [(False, 60), (True, 61)])
def test_rows_that_conflict_beside_a_deferrable_key(fill: Fill, renumber: bool, charts: int) -> None:
    """Beside one, and beside a column that is GENERATED ALWAYS AS IDENTITY, --skip leaves the same rows out."""
    engine = fill(Shape.TABLE)
    engine.dispose()
    url = engine.url
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    execute(url, DEFERRABLE)
    found = bring_back(url, skip=True, renumber=renumber)
    assert found.exit_code == 0
    left = "" if renumber else ", 1 left in the archive"
    assert f"analytics.trend_cache {charts - 1:,} rows{left}" in finding(found, "restored").detail
    kept = "SELECT count(*), count(*) FILTER (WHERE trend_source = 'newer') FROM analytics.trend_cache"
    assert execute(url, kept) == [(charts, 1)]


@pytest.mark.parametrize(
    ("skip", "renumber", "kind", "settled"),
    [
        (False, False, "same id", False),
        (False, True, "same id", True),
        (False, True, "same key", False),
        (False, True, "vanished", False),
        (True, False, "vanished", True),
    ],
)
def test_what_an_option_settles(skip: bool, renumber: bool, kind: str, settled: bool) -> None:
    assert Choice(skip, renumber).settles(Conflict("t", kind, "that do not fit", 1, [1])) == settled


def test_of_many_misfits_five_are_named() -> None:
    assert str(Conflict("t", "same id", "whose id a newer row has", 5, [1, 2, 3, 4, 5])).endswith("(1, 2, 3, 4, 5)")
    assert str(Conflict("t", "same id", "whose id a newer row has", 6, [1, 2, 3, 4, 5])).endswith("(1, 2, 3, 4, 5, …)")


@pytest.mark.parametrize(("limit", "shown"), [(40, "40"), (39, "more than 39"), (39, "about 40")])
def test_a_plan_counts_so_many_rows(fill: Fill, monkeypatch: pytest.MonkeyPatch, limit: int, shown: str) -> None:
    url = fill(Shape.TABLE).url
    monkeypatch.setattr(plan, "COUNTED", limit)
    if "about" in shown:
        execute(url, "ANALYZE analytics.content_recommendations")
    else:
        execute(url, "UPDATE pg_class SET reltuples = 39 WHERE relname = 'content_recommendations'")
    lines = rollback.planned(url, rollback.prepare(url, "2.0.2", take_along=True)).objects
    assert {line.rows for line in lines if line.object == "content_recommendations"} == {shown}
    by_object = {line.object: line for line in lines}
    assert len(by_object) == len(lines), "each goes with one step"
    assert by_object["niche_daily_activity_delta"].data == "rebuilt"
    assert by_object["current_trends"].size is None


STRANGE = '"Click % ""rate"" :x"'
"""A column of others: psycopg takes a percent sign for a placeholder, SQLAlchemy a colon for a parameter."""


def test_beside_columns_whose_names_look_like_parameters(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    add = f"ALTER TABLE analytics.trend_cache ADD COLUMN {STRANGE} text"
    execute(url, f"ALTER TABLE public.features ADD COLUMN IF NOT EXISTS {STRANGE} numeric DEFAULT 1")
    execute(url, f"{add}; UPDATE analytics.trend_cache SET {STRANGE} = trend_id || '%'")  # noqa: S608
    trends = f"SELECT trend_id, {STRANGE} FROM analytics.trend_cache WHERE trend_id <= 1000 ORDER BY 1"  # noqa: S608
    before = execute(url, trends), execute(url, ANALYSED)
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    execute(url, NEWER)
    with pytest.raises(OnlineError, match="rows hold a value in Click % "):
        bring_back(url)
    execute(url, add)
    found = bring_back(url)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert (execute(url, trends), execute(url, ANALYSED)) == before


@pytest.mark.clean
@pytest.mark.parametrize("skip", [False, True])
def test_beside_an_identity_column_of_others(fill: Fill, skip: bool) -> None:
    """GENERATED ALWAYS: their rows keep the numbers that they had."""
    url = fill(Shape.TABLE).url
    add = "ALTER TABLE analytics.trend_cache ADD COLUMN number bigint GENERATED ALWAYS AS IDENTITY (START 500)"
    numbers = "SELECT trend_id, number FROM analytics.trend_cache WHERE trend_id <= 1000 ORDER BY 1"
    execute(url, add)
    before = execute(url, numbers)
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    execute(url, f"{add.replace('500', '9000')}; {NEWER}")
    found = bring_back(url, skip=skip)
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert execute(url, numbers) == before


ANALYSED = "SELECT niche_id, analytics_version, trend_vector::text FROM ONLY public.features ORDER BY 1"
NEWER = """
    SELECT setval('analytics.trend_cache_trend_id_seq', 1000);
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    VALUES (199, 'chart', 'niche_trends', '{}', '{}', now() + interval '1 day')
"""
