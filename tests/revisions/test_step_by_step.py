"""One revision at a time, up and down, with real rows written in the old shape at every step."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Engine, text

from operations import phase1
from operations.phase1 import Shape
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.revisions import REVISIONS
from tests.revisions.catalog import Catalog, catalog, contents
from tests.revisions.programs import COLUMNS

Connect = Callable[..., Engine]

PHASE1 = tuple(f"SELECT {', '.join(COLUMNS)} FROM {name}" for name in ("features", "hot_niches_today"))  # noqa: S608
EVENTS = "SELECT * FROM analytics.analytics_events"
COUNTED = """
    SELECT niche_id, (event_timestamp AT TIME ZONE 'UTC')::date AS day, event_type, count(*) AS events
    FROM analytics.analytics_events
    WHERE niche_id IS NOT NULL
    GROUP BY 1, 2, 3
"""
ACTIVITY = "SELECT niche_id, day, event_type, events FROM analytics.niche_daily_activity"


def write_events(connection: Connection, number: int) -> None:
    """Events on both sides of a UTC midnight, written in a session of another time zone; one without a niche."""
    connection.execute(text("SET LOCAL timezone = 'America/New_York'"))
    connection.execute(
        text("""
            INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
            SELECT 'view', 'test', timestamptz '2025-05-15 23:30+00' + n * interval '20 minutes', '{}'::jsonb, 1 + n % 3
            FROM generate_series(1, :number) AS n
            UNION ALL
            SELECT 'search', 'test', now(), '{}', NULL
        """),
        {"number": number},
    )


def insert_in_the_old_shape(engine: Engine, shape: Shape, phrase: str) -> None:
    """Raw Phase 1 SQL: a niche by its five columns, and a refresh."""
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO features (phrase, demand_score, monetise_score, supply_score, opportunity)"
                " VALUES (:phrase, 0.5, 0.5, 0.05, 5.0)"
            ),
            {"phrase": phrase},
        )
        phase1.refresh(connection, shape)


def test_rows_of_the_old_shape_live_through_every_revision(clone: Clone, connect: Connect, shape: Shape) -> None:
    engine = connect(clone(f"phase1_{shape}"))
    alembic = Alembic(engine.url)
    insert_in_the_old_shape(engine, shape, "before")
    catalogs: dict[str, Catalog] = {}
    for revision in REVISIONS:
        before = contents(engine, *PHASE1)
        alembic.upgrade(revision)
        assert contents(engine, *PHASE1) == before, revision
        catalogs[revision] = catalog(engine)
        insert_in_the_old_shape(engine, shape, f"at {revision}")

    for revision in REVISIONS[-2::-1]:
        before = contents(engine, *PHASE1)
        alembic.downgrade(revision)
        assert contents(engine, *PHASE1) == before, revision
        assert catalog(engine) == catalogs[revision], revision
        insert_in_the_old_shape(engine, shape, f"back at {revision}")

    with engine.connect() as connection:
        inserted = connection.execute(text("SELECT count(*) FROM features WHERE opportunity = 5.0")).scalar_one()
        assert inserted == 2 * len(REVISIONS)


def test_the_new_columns_of_old_rows(clone: Clone, connect: Connect, shape: Shape) -> None:
    """Rows from before 2.0.4 and rows that an old program writes after it look the same."""
    engine = connect(clone(f"phase1_{shape}"))
    insert_in_the_old_shape(engine, shape, "before")
    Alembic(engine.url).upgrade("2.0.4")
    insert_in_the_old_shape(engine, shape, "after")
    with engine.connect() as connection:
        features = connection.execute(
            text("SELECT DISTINCT trend_vector, last_analyzed_at, analytics_version FROM features")
        ).all()
        assert features == [(None, None, 0)]
        hot = connection.execute(
            text("SELECT DISTINCT trend_direction, trend_confidence, days_trending FROM hot_niches_today")
        ).all()
        assert hot == [("stable", 0, 0)]
        unchecked = connection.execute(text("SELECT conname FROM pg_constraint WHERE NOT convalidated")).all()
        assert unchecked == []
        checked = connection.execute(
            text("SELECT count(*) FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace")
        ).scalar_one()
        assert checked == (5 if shape is Shape.TABLE else 2)


def test_an_old_refresh_fills_the_new_columns(clone: Clone, connect: Connect, shape: Shape) -> None:
    engine = connect(clone(f"phase1_{shape}"))
    Alembic(engine.url).upgrade("2.0.4")
    today = datetime.now(UTC).date()
    vector = [[str(today - timedelta(days=13 - n)), 10 * (n + 1)] for n in range(14)]
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE features SET trend_vector = to_jsonb(CAST(:vector AS json)) WHERE niche_id % 2 = 0"),
            {"vector": str(vector).replace("'", '"')},
        )
        phase1.score(connection, shape)
        hot = connection.execute(
            text("""
                SELECT niche_id % 2 = 0, trend_direction, days_trending, trend_confidence > 0.6 FROM hot_niches_today
                GROUP BY 1, 2, 3, 4 ORDER BY 1
            """)
        ).all()
    assert hot == [(False, "stable", 0, False), (True, "rising", 13, True)]  # one day has no direction yet


def test_activity_counts_events_from_before_between_and_after(clone: Clone, connect: Connect, shape: Shape) -> None:
    engine = connect(clone(f"phase1_{shape}"))
    alembic = Alembic(engine.url)
    for revision in REVISIONS[1:]:
        alembic.upgrade(revision)
        with engine.begin() as connection:
            write_events(connection, 5)
    with engine.begin() as connection:
        write_events(connection, 5)
        connection.execute(text("DELETE FROM analytics.analytics_events WHERE event_id % 4 = 0"))
        connection.execute(text("UPDATE analytics.analytics_events SET niche_id = 4 WHERE event_id % 3 = 0"))
    with engine.connect() as connection:
        counted = sorted(connection.execute(text(COUNTED)).all())
        assert len({row.day for row in counted}) == 3  # both sides of midnight, and today's that got a niche
        assert sum(row.events for row in counted) > 20
        assert sorted(connection.execute(text(ACTIVITY)).all()) == counted

    # Events are kept by the way back to 2.0.0 and counted anew by the next way up.
    events = contents(engine, EVENTS)
    alembic.downgrade("2.0.0")
    assert contents(engine, EVENTS) == events
    with engine.begin() as connection:
        write_events(connection, 3)
    alembic.upgrade()
    assert contents(engine, ACTIVITY) == contents(engine, COUNTED)
