"""What others do between a rollback and its restore, or just while a table is exchanged: nothing of it is lost."""

import io
from functools import partial

import pytest
from alembic_online.errors import OnlineError
from rich.console import Console
from sqlalchemy import URL, Engine

from operations.rollback import archives, restore
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import counted, once
from tests.fixtures.lived_in import administrator
from tests.operations.rollback.conftest import MOVES, bring_back, execute, finding, roll_back, rows
from tests.operations.rollback.test_events_by_month import PAST_BOUND

EVENT = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data)
    VALUES ('view', 'newer', now(), '{}')
"""
CHART = """
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    VALUES (61, 'chart', 'newer', '{}', '{}', now() + interval '1 day')
"""
NEWER = """
    SELECT count(*) FROM (
        SELECT event_source FROM analytics.analytics_events UNION ALL SELECT trend_source FROM analytics.trend_cache
    ) AS s (source) WHERE source = 'newer'
"""
COUNTS = "SELECT (SELECT count(*) FROM analytics.analytics_events), (SELECT count(*) FROM analytics.trend_cache)"


def there_and_back(engine: Engine, target: str = "1.0.0") -> None:
    engine.dispose()
    roll_back(engine.url, target)
    Alembic(engine.url).upgrade()


@pytest.mark.parametrize(
    ("relation", "newer", "prepare", "target"),
    [
        ("analytics.trend_cache", CHART, "", "1.0.0"),
        ("analytics.analytics_events", EVENT, "", "1.0.0"),
        ("analytics.analytics_events", EVENT, PAST_BOUND, "2.0.7"),
    ],
    ids=["a table", "events", "events by month"],
)
def test_a_row_written_just_before_the_exchange_stays(
    engine: Engine, relation: str, newer: str, prepare: str, target: str
) -> None:
    """The lock is not yet held when its table was seen to be empty."""
    url = engine.url
    if prepare:
        execute(url, prepare)
    [counts] = execute(url, COUNTS)
    there_and_back(engine, target)
    act = once(rf"LOCK TABLE .*{relation.rpartition('.')[2]}.* ACCESS EXCLUSIVE", partial(execute, url, newer))
    with pytest.raises(OnlineError, match=rf"{relation} was written to just now") as refused:
        counted(partial(bring_back, url), act)
    assert refused.value.next_step == "run `sidb restore` again: its rows are merged."
    execute(url, f"SELECT setval(pg_get_serial_sequence('{relation}', '{KEYS[relation]}'), 900000)")
    execute(url, f"UPDATE {relation} SET {KEYS[relation]} = 900000")  # so that it collides with none  # noqa: S608
    said = io.StringIO()
    found = restore.restore(url, 1, restore.Choice(False, False), Console(file=said, width=500))
    assert found.exit_code == 0
    assert "What others had" not in said.getvalue(), "what the first attempt has built is ours"
    assert execute(url, NEWER) == [(1,)]
    assert sum(execute(url, COUNTS)[0]) == sum(counts) + 1


KEYS = {"analytics.trend_cache": "trend_id", "analytics.analytics_events": "event_id"}


@pytest.mark.parametrize("given", [900_000, 7])
@pytest.mark.parametrize(
    ("relation", "insert", "prepare", "target"),
    [
        ("analytics.trend_cache", CHART, "", "1.0.0"),
        ("analytics.analytics_events", EVENT, "", "1.0.0"),
        ("analytics.analytics_events", EVENT, PAST_BOUND, "2.0.7"),
    ],
    ids=["a table", "events", "events by month"],
)
@pytest.mark.parametrize("occupied", [False, True], ids=["exchanged", "merged"])
@pytest.mark.clean
def test_no_id_is_given_twice(
    engine: Engine, relation: str, insert: str, prepare: str, target: str, given: int, occupied: bool
) -> None:
    """Neither one of the archive's nor one that was given since, whose row may be gone."""
    url, key = engine.url, KEYS[relation]
    if prepare:
        execute(url, prepare)
    there_and_back(engine, target)
    execute(url, f"SELECT setval(pg_get_serial_sequence('{relation}', '{key}'), {given})")
    if occupied:
        execute(url, insert)
        execute(url, f"UPDATE {relation} SET {key} = -1")  # noqa: S608
    assert bring_back(url).exit_code == 0
    [(highest,)] = execute(url, f"SELECT max({key}) FROM {relation}")  # noqa: S608
    [(following,)] = execute(url, f"{insert.replace('(61', '(62')} RETURNING {key}")
    assert following > max(highest, given)


def test_rows_past_the_bound_of_the_first_partition_come_back(engine: Engine) -> None:
    """They are no part of it, so the archived table cannot become it."""
    url = engine.url
    execute(url, PAST_BOUND.replace("50001", "10"))
    before = rows(engine)
    there_and_back(engine)
    found = bring_back(url)
    assert "analytics.analytics_events 3,010 rows; " in finding(found, "restored").detail + "; "
    assert rows(engine) == before


def test_what_is_written_where_the_tree_was_put_aside_is_not_dropped(engine: Engine) -> None:
    """By one whom no REVOKE shuts out: the rollback ends before the step that would drop the table."""
    url = engine.url
    execute(url, PAST_BOUND)
    newer = partial(execute, administrator(url), EVENT)
    with pytest.raises(
        OnlineError, match=r"analytics\.analytics_events was written to since it was put aside"
    ) as caught:
        counted(partial(roll_back, url, "1.0.0"), once("LOCK TABLE .*content_recommendations", newer))
    assert caught.value.next_step.startswith("move its rows elsewhere, or delete them: sidb_archive_1 holds all")
    assert execute(url, "SELECT event_source FROM analytics.analytics_events") == [("newer",)]
    execute(administrator(url), "DELETE FROM analytics.analytics_events")
    assert roll_back(url, None).exit_code == 0


OTHERS = {
    "a key": "ALTER TABLE {} ADD CONSTRAINT theirs UNIQUE (created_at, {})",
    "a default": "ALTER TABLE {} ALTER COLUMN created_at SET DEFAULT clock_timestamp()",
    "a view": "CREATE VIEW public.report AS SELECT {1} FROM {0}",
    "a check": "ALTER TABLE {} ADD CONSTRAINT theirs CHECK ({} > 0)",
    "a foreign key": "ALTER TABLE {} ADD CONSTRAINT theirs FOREIGN KEY ({}) REFERENCES public.features (niche_id)",
    "an index": "CREATE INDEX theirs ON {} ({})",
}


@pytest.mark.parametrize("what", OTHERS)
def test_a_table_that_is_another_one_now_keeps_what_it_got(engine: Engine, what: str) -> None:
    url = engine.url
    before = execute(url, "SELECT * FROM analytics.trend_cache ORDER BY trend_id")
    there_and_back(engine)
    execute(url, OTHERS[what].format("analytics.trend_cache", "trend_id"))
    found = bring_back(url)
    assert (found.exit_code, finding(found, "models").verdict) == (0, "ok"), found.findings
    assert execute(url, "SELECT * FROM analytics.trend_cache ORDER BY trend_id") == before
    moved = "analytics.trend_cache moved back whole" in finding(found, "restored").detail
    assert moved == (what in ("a foreign key", "an index"))


@pytest.mark.parametrize("what", ["a view", "a view beside it", "a check", "a comment", "a column"])
def test_events_by_month_that_are_others_now_keep_what_they_got(engine: Engine, what: str) -> None:
    url = engine.url
    execute(url, PAST_BOUND)
    before = execute(url, f"SELECT event_id, event_data::text FROM {EVENTS} ORDER BY 1")  # noqa: S608
    there_and_back(engine, "2.0.7")
    execute(url, {**OTHERS, **OF_EVENTS}[what].format(EVENTS, "event_id"))
    found = bring_back(url)
    assert (found.exit_code, finding(found, "models").verdict) == (0, "ok"), found.findings
    assert execute(url, f"SELECT event_id, event_data::text FROM {EVENTS} ORDER BY 1") == before  # noqa: S608
    assert f"{EVENTS} moved back whole" not in finding(found, "restored").detail


EVENTS = "analytics.analytics_events"
OF_EVENTS = {
    "a comment": "COMMENT ON TABLE {} IS 'Theirs'",
    "a column": "ALTER TABLE {} ADD COLUMN note text",
    "a view beside it": "CREATE VIEW analytics.theirs AS SELECT event_id FROM {}",
}


def test_rows_that_could_not_join_others_are_refused_beforehand(engine: Engine) -> None:
    url = engine.url
    there_and_back(engine)
    execute(url, f"ALTER TABLE analytics.trend_cache DROP CONSTRAINT trend_cache_pkey; {CHART}")
    with pytest.raises(
        OnlineError, match=r"analytics\.trend_cache holds rows by now, and has no integer key"
    ) as refused:
        bring_back(url)
    assert "insert those of sidb_archive_1.trend_cache" in refused.value.next_step
    assert execute(url, COUNTS) == [(0, 1)], "nothing was changed"
    assert {line.state for line in archives.archives(url).tables} == {"archived"}


def test_nor_are_rows_left_out_of_a_table_without_a_key(engine: Engine) -> None:
    """A table of which rows are to stay in the archive is not exchanged, and rows are merged by a key."""
    url = engine.url
    there_and_back(engine)
    execute(url, "ALTER TABLE analytics.trend_cache DROP CONSTRAINT trend_cache_pkey")
    execute(url, "UPDATE sidb_archive_1.trend_cache SET niche_id = 999 WHERE niche_id = 60")
    with pytest.raises(OnlineError, match=r"1 rows whose niche_id is gone from public\.features"):
        bring_back(url)
    with pytest.raises(OnlineError, match=r"analytics\.trend_cache .*has no integer key"):
        bring_back(url, skip=True)
    assert {line.state for line in archives.archives(url).tables} == {"archived"}


def test_two_at_once(engine: Engine) -> None:
    url: URL = engine.url
    refused: list[str] = []

    def another() -> None:
        with pytest.raises(OnlineError) as caught:
            archives.drop(url, 1)
        refused.append(str(caught.value))

    counted(partial(roll_back, url, "2.0.3"), once(MOVES, another))
    assert refused[0].startswith(
        "Another rollback, restore or erasure is at work on this database; nothing was changed"
    )
