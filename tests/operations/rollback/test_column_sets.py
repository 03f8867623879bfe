"""Several sets of columns of one table, and the table itself: each is kept, under a name of its own, and comes back."""

from functools import partial
from typing import Any

import pytest
from sqlalchemy import URL, Engine

from operations.phase1 import Shape
from tests.engine.test_data_loss import NEXT
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import stopped
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import Fill, Role, bring_back, execute, finding, privileges, roll_back
from tests.operations.rollback.revising import Revise, add_column
from tests.operations.rollback.revising import revise as revise

FEATURES = """
    SELECT niche_id, season, mood, analytics_version, last_analyzed_at, trend_vector::text
    FROM public.features ORDER BY niche_id
"""
BOTH = """
    UPDATE public.features SET season = 'season ' || niche_id WHERE niche_id <= 20;
    UPDATE public.features SET mood = 'mood ' || niche_id WHERE niche_id BETWEEN 11 AND 30
"""
ADD_BOTH = 'op.execute("ALTER TABLE public.features ADD COLUMN season text, ADD COLUMN mood text")'
DROP_BOTH = 'op.execute("ALTER TABLE public.features DROP COLUMN season, DROP COLUMN mood")'
ONE_BY_ONE = """
with op.get_context().autocommit_block():
    op.execute("ALTER TABLE public.features DROP COLUMN IF EXISTS season")
    op.execute("ALTER TABLE public.features DROP COLUMN IF EXISTS mood")
"""
SEASON, MOOD = "public.features.season", "public.features.mood"


def came_back(url: URL, **choice: bool) -> str:
    found = bring_back(url, **choice)
    assert found.exit_code == 0, [str(each) for each in found.findings if each.verdict != "ok"]
    return finding(found, "restored").detail


def left(url: URL) -> list[tuple[Any, ...]]:
    """What a rollback has made, beside what it keeps."""
    return execute(
        url,
        "SELECT relname FROM pg_class WHERE relname ~ '^changed ' UNION ALL SELECT tgname FROM pg_trigger"
        " WHERE tgname ~ '^sidb' UNION ALL SELECT proname FROM pg_proc WHERE proname ~ '^follow '",
    )


@pytest.mark.parametrize("is_killed", [False, True], ids=["in one run", "killed in between"])
def test_two_revisions_with_columns_of_one_table(filled: Engine, revise: Revise, is_killed: bool) -> None:
    url = filled.url
    filled.dispose()
    by_hand = revise(url, ADD_BOTH, DROP_BOTH, SEASON, MOOD)
    execute(url, BOTH)
    before = execute(url, FEATURES)
    if is_killed:
        stopped(partial(roll_back, url, "2.0.3"), "DROP COLUMN IF EXISTS trend_vector")
    assert roll_back(url, None if is_killed else "2.0.3").exit_code == 0
    assert execute(url, 'SELECT count(*) FROM sidb_archive_1."columns of features"') == [(30,)]
    assert execute(url, 'SELECT count(*) FROM sidb_archive_1."columns of features 2"') == [(150,)]
    assert left(url) == []
    by_hand.upgrade()
    said = came_back(url)
    assert "mood, season of public.features 30 rows" in said
    assert "analytics_version, last_analyzed_at, trend_vector of public.features 150 rows" in said
    assert execute(url, FEATURES) == before


@pytest.mark.parametrize(
    ("down", "declared"),
    [
        (DROP_BOTH, [SEASON]),
        (DROP_BOTH, []),
        (ONE_BY_ONE, [SEASON, MOOD]),
        (ONE_BY_ONE, [MOOD]),
        (ONE_BY_ONE, []),
    ],
    ids=["one declared", "none declared", "one by one", "one by one, one declared", "one by one, none declared"],
)
def test_columns_that_a_step_drops(engine: Engine, revise: Revise, down: str, declared: list[str]) -> None:
    url = engine.url
    engine.dispose()
    by_hand = revise(url, ADD_BOTH, down, *declared)
    execute(url, BOTH)
    before = execute(url, FEATURES)
    assert roll_back(url, HEAD).exit_code == 0
    assert left(url) == []
    by_hand.upgrade()
    came_back(url)
    assert execute(url, FEATURES) == before


def test_what_is_written_between_two_statements(engine: Engine, revise: Revise) -> None:
    """A part of the step is committed, and the other column goes on being written: what it holds at last is kept."""
    url = engine.url
    engine.dispose()
    by_hand = revise(url, ADD_BOTH, ONE_BY_ONE, SEASON, MOOD)
    execute(url, BOTH)
    stopped(partial(roll_back, url, HEAD), "DROP COLUMN IF EXISTS mood")
    execute(url, "UPDATE public.features SET mood = 'newer' WHERE niche_id = 12")
    assert roll_back(url, None).exit_code == 0
    by_hand.upgrade()
    came_back(url)
    found = execute(url, "SELECT season, mood FROM public.features WHERE niche_id IN (11, 12) ORDER BY niche_id")
    assert found == [("season 11", "mood 11"), ("season 12", "newer")]


CHARTS = "SELECT trend_id, niche_id, remark FROM analytics.trend_cache ORDER BY trend_id"
REMARKS = "UPDATE analytics.trend_cache SET remark = 'remark ' || trend_id WHERE trend_id % 3 = 0"


@pytest.mark.parametrize("column", ["remark text", "remark text NOT NULL DEFAULT 'none'"])
def test_a_column_and_then_its_table(filled: Engine, revise: Revise, column: str) -> None:
    url = filled.url
    filled.dispose()
    by_hand = add_column(revise, url, "analytics.trend_cache", column)
    execute(url, REMARKS)
    before = execute(url, CHARTS)
    assert roll_back(url, "1.0.0").exit_code == 0
    assert execute(url, "SELECT count(*) FROM sidb_archive_1.trend_cache") == [(60,)]
    assert execute(url, 'SELECT count(*) FROM sidb_archive_1."columns of trend_cache"') == [(20,)]
    by_hand.upgrade()
    said = came_back(url)
    assert "analytics.trend_cache moved back whole" in said
    assert "remark of analytics.trend_cache 20 rows" in said
    assert execute(url, CHARTS) == before


def test_a_value_stays_with_its_row(engine: Engine, revise: Revise) -> None:
    """Whatever id that gets: a newer row has its old one."""
    url = engine.url
    engine.dispose()
    by_hand = add_column(revise, url, "analytics.trend_cache")
    execute(url, REMARKS)
    roll_back(url, "1.0.0")
    by_hand.upgrade()
    execute(
        url,
        "INSERT INTO analytics.trend_cache (trend_id, trend_type, trend_source, parameters, trend_data, valid_until)"
        " OVERRIDING SYSTEM VALUE VALUES (3, 'chart', 'newer', '{}', '{\"points\": []}', now() + interval '1 day')",
    )
    came_back(url, renumber=True)
    newer = "SELECT remark FROM analytics.trend_cache WHERE trend_id = 3"
    assert execute(url, newer) == [(None,)]
    older = "SELECT niche_id, remark FROM analytics.trend_cache WHERE niche_id IN (3, 6) ORDER BY 1"
    assert execute(url, older) == [(3, "remark 3"), (6, "remark 6")]


EVENTS = "SELECT event_id, event_timestamp, remark FROM analytics.analytics_events ORDER BY event_id"


@pytest.mark.parametrize("is_whole", [False, True], ids=["one table again", "the tree goes aside"])
def test_a_column_of_events(engine: Engine, revise: Revise, is_whole: bool) -> None:
    url = engine.url
    engine.dispose()
    by_hand = add_column(revise, url, "analytics.analytics_events")
    if is_whole:
        execute(
            url,
            "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
            " SELECT 'view', 'far', now() + interval '80 days', '{}', 5 FROM generate_series(1, 50001)",
        )
    execute(url, "UPDATE analytics.analytics_events SET remark = 'remark ' || event_id WHERE event_id % 7 = 0")
    before = execute(url, EVENTS)
    assert roll_back(url, "1.0.0").exit_code == 0
    by_hand.upgrade()
    assert "analytics.analytics_events moved back whole" in came_back(url)
    assert execute(url, EVENTS) == before


def test_a_name_that_an_interrupted_copy_has_had(engine: Engine, revise: Revise) -> None:
    """What looks like a leftover is the developer's table, and is kept; with a space, as ours have, it is refused."""
    url = engine.url
    engine.dispose()
    names = ("changed_niches", "columns_of_notes")
    up = "\n".join(f"op.execute('CREATE TABLE analytics.\"{name}\" (note_id bigint)')" for name in names)
    down = "\n".join(f"op.execute('DROP TABLE analytics.\"{name}\"')" for name in names)
    own = [change for name in names for change in (f"table analytics.{name}", f"column analytics.{name}.note_id")]
    revise(url, up, down, changes=own)
    for name in names:
        execute(url, f'INSERT INTO analytics."{name}" VALUES (1), (2)')  # noqa: S608
    stopped(partial(roll_back, url, "2.0.3"), "DROP COLUMN IF EXISTS trend_vector")
    assert roll_back(url, None).exit_code == 0
    for name in names:
        assert execute(url, f'SELECT count(*) FROM sidb_archive_1."{name}"') == [(2,)]  # noqa: S608


OLDER = """
    ALTER TABLE sidb_archive_1."columns of trend_cache" RENAME TO trend_cache;
    ALTER TABLE sidb_archive_1.trend_cache RENAME CONSTRAINT "columns of trend_cache_pkey" TO trend_cache_pkey;
    ALTER TABLE sidb.rollback_archived
        DROP CONSTRAINT rollback_archived_pkey, ADD PRIMARY KEY (rollback_id, relation),
        DROP COLUMN kept_as, DROP COLUMN source, DROP COLUMN numbers;
    UPDATE sidb.component SET version = 2 WHERE component = 'rollbacks';
"""


@pytest.mark.clean
def test_a_rollback_that_older_code_has_begun(fill: Fill, revise: Revise) -> None:
    """It called a copy like its table, which it then took for kept."""
    url = fill(Shape.TABLE).url
    by_hand = add_column(revise, url, "analytics.trend_cache")
    execute(url, REMARKS)
    before = execute(url, CHARTS)
    stopped(partial(roll_back, url, "1.0.0"), r"DROP TABLE .*trend_cache")
    execute(url, OLDER)
    assert roll_back(url, None).exit_code == 0
    by_hand.upgrade()
    came_back(url)
    assert execute(url, CHARTS) == before


@pytest.mark.clean
def test_a_column_that_older_code_has_lost(fill: Fill, revise: Revise) -> None:
    """It is written down, and not in the archive: the others come back, and it is named."""
    url = fill(Shape.TABLE).url
    by_hand = revise(url, ADD_BOTH, DROP_BOTH, SEASON, MOOD)
    execute(url, BOTH)
    roll_back(url, HEAD)
    execute(url, 'ALTER TABLE sidb_archive_1."columns of features" DROP COLUMN mood')
    by_hand.upgrade()
    found = bring_back(url)
    assert [each.detail for each in found.findings if each.verdict == "failed"] == [
        "mood of public.features is not in the archive: an older sidb has dropped it"
    ]
    assert execute(url, "SELECT count(season), count(mood) FROM public.features") == [(20, 0)]


def assert_rights_come_back(by_hand: Alembic, table: str) -> None:
    before = privileges(by_hand.url)[table]
    roll_back(by_hand.url, HEAD)
    by_hand.upgrade()
    bring_back(by_hand.url)
    assert privileges(by_hand.url)[table] == before


def test_rights_on_columns_of_one_table_that_go_with_two_revisions(engine: Engine, revise: Revise, role: Role) -> None:
    url, app = engine.url, role("app")
    engine.dispose()
    by_hand = add_column(revise, url, "analytics.trend_cache")
    first = (by_hand.directory / "by_hand.py").read_text()
    second = first.replace("remark", "mood").replace(f'revision = "{NEXT}"', 'revision = "later"')
    (by_hand.directory / "later.py").write_text(second.replace(f'"{HEAD}"', f'"{NEXT}"'))
    by_hand.upgrade()
    execute(url, f"GRANT SELECT (remark, mood) ON analytics.trend_cache TO {app}")
    assert_rights_come_back(by_hand, "trend_cache")


def test_rights_on_columns_that_a_revision_added_to_phase1s_table(engine: Engine, revise: Revise, role: Role) -> None:
    """What they are is in no catalog of ours: the revision says that its downgrade drops them."""
    url, app = engine.url, role("app")
    engine.dispose()
    by_hand = revise(url, ADD_BOTH, DROP_BOTH, SEASON, MOOD)
    execute(url, f"GRANT SELECT (season), UPDATE (mood) ON public.features TO {app}")
    assert_rights_come_back(by_hand, "features")
