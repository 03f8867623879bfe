"""Each place where an id of a user can be is emptied; rows of a user whose id begins alike stay everywhere."""

import json
from pathlib import Path

import psycopg
import pytest
from alembic_online.errors import UsageError
from psycopg.sql import SQL
from sqlalchemy import Engine

from operations.erasure import users
from operations.erasure.preview import preview
from tests.backfill.conftest import HEADER, load_file, write_csv
from tests.fixtures.databases import conninfo
from tests.fixtures.lived_in import administrator
from tests.operations.erasure.conftest import (
    ANN,
    ANNA,
    EVENTS,
    Dump,
    erase,
    fill,
    history,
    of,
    rolled_back,
    rows,
    staged,
)
from tests.operations.rollback.conftest import execute

ACTIVITY = """
    SELECT count(*) FROM analytics.niche_daily_activity AS shown
    FULL JOIN (
        SELECT niche_id, (event_timestamp AT TIME ZONE 'UTC')::date AS day, event_type, count(*) AS events
        FROM analytics.analytics_events WHERE niche_id IS NOT NULL GROUP BY 1, 2, 3
    ) AS counted USING (niche_id, day, event_type, events)
    WHERE shown.niche_id IS NULL OR counted.niche_id IS NULL
"""

ERRORS = """
    INSERT INTO sidb.backfill_set_aside (job, key, range_id, error)
    VALUES ('niche_scores', 1, 1, 'refused for {0}.'), ('niche_scores', 2, 1, 'refused for {1}.');
    UPDATE sidb.backfill_ranges SET error = 'refused {0}' WHERE range_id = 1
"""


def test_events_of_every_month_and_recommendations(migrated: Engine) -> None:
    url = migrated.url
    fill(url)
    [(activity,)] = execute(url, "SELECT sum(events) FROM analytics.niche_daily_activity")
    done = erase(url, ANN)
    assert rows(done) == {"analytics.analytics_events": EVENTS, "analytics.content_recommendations": 3}
    assert (of(url, "analytics.analytics_events", ANN), of(url, "analytics.analytics_events", ANNA)) == (0, EVENTS)
    assert of(url, "analytics.content_recommendations", ANNA) == 3
    assert execute(url, ACTIVITY) == [(0,)]
    assert execute(url, "SELECT sum(events) FROM analytics.niche_daily_activity") == [(activity - EVENTS,)]
    assert (done.users, done.left, done.exit_code) == (1, 0, 0)
    assert done.gone_from_live_tables is not None
    assert done.gone is not None


def test_a_partition_that_was_detached(migrated: Engine) -> None:
    url = migrated.url
    fill(url)
    [(first,)] = execute(url, "SELECT count(*) FROM analytics_partitions.analytics_events_first")
    execute(
        url,
        "ALTER TABLE analytics.analytics_events DETACH PARTITION analytics_partitions.analytics_events_first",
    )
    done = rows(erase(url, ANN))
    assert done["analytics_partitions.analytics_events_first"] == first // 2
    assert of(url, "analytics_partitions.analytics_events_first", ANNA) == first // 2


def test_staging_and_what_is_known_of_its_lines(migrated: Engine, tmp_path: Path) -> None:
    url = migrated.url
    staged(migrated, tmp_path)
    done = erase(url, ANN)
    assert rows(done) == {"analytics.analytics_events": 10, "sidb.backfill_events": 10}
    assert execute(url, "SELECT DISTINCT user_id FROM sidb.backfill_events") == [(ANNA,)]
    assert execute(url, "SELECT erased FROM sidb.backfill_files") == [(10,)]


def test_rejected_records(migrated: Engine, tmp_path: Path) -> None:
    url = migrated.url
    bad = [("view", "web", "never", "{}", user, "1", "") for user in (ANN, ANNA)]
    staged(migrated, tmp_path, *bad)
    assert rows(erase(url, ANN))["sidb.backfill_rejects"] == 1
    [first, second] = execute(url, "SELECT line, content, reason FROM sidb.backfill_rejects ORDER BY line")
    assert first[1:] == ("", "its user was erased, or it names one who was")
    assert ANNA in second[1]


@pytest.mark.parametrize("user", ["rené", "org/7", 'a "b"', "back\\slash"])
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_rejected_records_that_write_an_id_otherwise(migrated: Engine, tmp_path: Path, user: str, kind: str) -> None:
    """As json.dumps does by default, other languages with a slash, and CSV with a quote."""
    bad, good = ("view", "web", "never", "{}", user, "1", ""), ("view", "web", "2025-05-01T00:00Z", "{}", "x", "1", "")
    if kind == "csv":
        path = write_csv(tmp_path / "a.csv", [bad, good])
    else:
        path = tmp_path / "a.jsonl"
        lines = [json.dumps(dict(zip(HEADER[:6], (*row[:5], 1), strict=True))) for row in (bad, good)]
        path.write_text("\n".join(lines).replace("/", "\\/") + "\n")
    load_file(migrated, path)
    counts = preview(migrated.url, [user])
    assert [each.rows for each in counts.tables if each.table == "sidb.backfill_rejects"] == [1]
    assert rows(erase(migrated.url, user))["sidb.backfill_rejects"] == 1
    assert execute(migrated.url, "SELECT content FROM sidb.backfill_rejects") == [("",)]


def test_events_of_which_no_index_knows_the_users(migrated: Engine) -> None:
    """Somebody has dropped it: what is counted of them goes down all the same."""
    url = migrated.url
    fill(url)
    execute(administrator(url), "DROP INDEX analytics.idx_analytics_events_user_id")
    assert rows(erase(url, ANN))["analytics.analytics_events"] == EVENTS
    assert (of(url, "analytics.analytics_events", ANN), of(url, "analytics.analytics_events", ANNA)) == (0, EVENTS)
    assert execute(url, ACTIVITY) == [(0,)]


def test_a_file_that_is_half_loaded(migrated: Engine, tmp_path: Path) -> None:
    url = migrated.url

    def die(*_: object) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        load_file(migrated, write_csv(tmp_path / "half.csv", history(rows=20)), report=die, chunk=1_000)
    table = "sidb.backfill_load_1"
    before = of(url, table, ANN)
    assert before
    assert rows(erase(url, ANN)) == {table: before}
    assert of(url, table, ANN) == 0
    done = load_file(migrated, tmp_path / "half.csv")
    assert (done.records, done.erased, done.added) == (40, 20, 20)


def test_errors_of_rows_that_were_set_aside(migrated: Engine, tmp_path: Path) -> None:
    url = migrated.url
    staged(migrated, tmp_path)
    execute(url, ERRORS.format(ANN, ANNA))
    done = rows(erase(url, ANN))
    assert (done["sidb.backfill_set_aside"], done["sidb.backfill_ranges"]) == (1, 1)
    assert execute(url, f"SELECT key FROM sidb.backfill_set_aside WHERE error LIKE '%{ANNA}%'") == [(2,)]  # noqa: S608


def test_a_row_of_somebody_else_with_the_same_key_stays(migrated: Engine) -> None:
    """As in a table that inherits, where no key holds for both; rows of the user in it go."""
    url = migrated.url
    fill(url)
    table = "analytics.content_recommendations"
    execute(
        administrator(url),
        f"CREATE TABLE public.theirs () INHERITS ({table}); INSERT INTO public.theirs SELECT * FROM ONLY {table};"  # noqa: S608
        " ALTER TABLE public.theirs REPLICA IDENTITY FULL;"  # somebody may publish it
        f" UPDATE public.theirs SET user_id = 'somebody' WHERE user_id = '{ANN}';"
        f" UPDATE public.theirs SET user_id = '{ANN}' WHERE user_id = '{ANNA}';"
        f" GRANT ALL ON public.theirs TO {url.username}",
    )
    assert rows(erase(url, ANN))[table] == 6
    assert (of(url, table, ANN), of(url, table, ANNA), of(url, table, "somebody")) == (0, 3, 3)


def test_two_archives(migrated: Engine) -> None:
    url = migrated.url
    for _ in range(2):
        fill(url)
        rolled_back(url)
    done = rows(erase(url, ANN))
    assert done == {
        f"sidb_archive_{number}.{table}": count
        for number in (1, 2)
        for table, count in (("analytics_events", EVENTS), ("content_recommendations", 3))
    }
    for number in (1, 2):
        assert of(url, f"sidb_archive_{number}.analytics_events", ANNA) == EVENTS


def test_nowhere_in_a_dump_of_the_whole_database(migrated: Engine, tmp_path: Path, dump: Dump) -> None:
    url = migrated.url
    fill(url)
    rolled_back(url)
    fill(url)
    staged(migrated, tmp_path, ("view", "web", "never", "{}", ANN, "1", ""))
    execute(url, "ANALYZE")
    assert dump(url).replace(ANNA, "").count(ANN) > 100
    done = erase(url, ANN, file=tmp_path / "certificate.json")
    text = dump(url)
    assert ANN not in text.replace(ANNA, "")
    assert text.count(ANNA) > 100
    assert ANN not in (tmp_path / "certificate.json").read_text(encoding="utf-8")
    assert not [each for each in done.out_of_reach if "statistics" in each]
    kept = "SELECT count(*) FROM pg_stats WHERE concat(most_common_vals, histogram_bounds) ~ 'ann-17@example.com[^m]'"
    assert execute(url, kept) == [(0,)]


def test_a_user_who_is_nowhere(migrated: Engine) -> None:
    url = migrated.url
    fill(url)
    done = erase(url, "nobody")
    assert (rows(done), done.exit_code) == ({}, 0)
    assert execute(url, "SELECT count(*) FROM sidb.erased_user") == [(1,)]


@pytest.mark.parametrize(
    ("user", "text", "is_named"),
    [
        (ANN, f"by {ANN}", True),
        (ANN, f"by {ANNA}", False),
        (ANN, f"by x{ANN}", False),
        (ANN, f"by x.{ANN}", False),
        (ANN, f"by {ANN}.", True),
        (ANN, f'{{"by": "{ANN}"}}', True),
        ("ann", f"by {ANN}", False),
        ("u1", "u12", False),
        ("u1", "u1,u2", True),
        ("u1", "U1", False),
        ("a.c", "abc", False),
        ('say "hi"', json.dumps({"by": 'say "hi"'}), True),
        ("a\\b", json.dumps({"by": "a\\b"}), True),
        ("naïve 😀", "by naïve 😀!", True),
        ("***:ann", "by ***:ann", True),
    ],
)
def test_an_id_is_named_where_it_is_a_word_of_its_own(migrated: Engine, user: str, text: str, is_named: bool) -> None:
    with psycopg.connect(conninfo(migrated.url)) as connection:
        users.remember(connection, [user])
        connection.execute("CREATE TEMPORARY TABLE said (what text)")
        connection.execute("INSERT INTO said VALUES (%s)", [text])
        statement = SQL("SELECT {} FROM pg_temp.said").format(users.MENTIONED.format(value=SQL("what")))
        assert connection.execute(statement).fetchone() == (is_named,)


def test_partitions_whose_names_have_to_be_quoted(migrated: Engine) -> None:
    """One that is attached, and one that somebody has detached."""
    url = migrated.url
    fill(url)
    [(attached, detached)] = execute(
        url,
        "SELECT min(tableoid::regclass::text), max(tableoid::regclass::text) FROM analytics.analytics_events"
        " WHERE tableoid <> 'analytics_partitions.analytics_events_default'::regclass",
    )
    assert attached != detached
    execute(url, f"ALTER TABLE analytics.analytics_events DETACH PARTITION {detached}")
    execute(url, f'ALTER TABLE {attached} RENAME TO "Of: a.Month"; ALTER TABLE {detached} RENAME TO "and/Another.One"')
    done = rows(erase(url, ANN))
    assert done['analytics_partitions."and/Another.One"'] + done["analytics.analytics_events"] == EVENTS
    assert of(url, 'analytics_partitions."and/Another.One"', ANN) == 0
    assert of(url, "analytics.analytics_events", ANN) == 0


def test_a_hundred_users_at_once_and_no_more() -> None:
    many = [f"user {n}" for n in range(users.MOST + 1)]
    assert len(users.read([*many[1:], many[1], " "])) == users.MOST
    with pytest.raises(UsageError, match="101 users are too many"):
        users.read(many)
