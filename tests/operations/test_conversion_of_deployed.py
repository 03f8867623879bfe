"""Events by month, there and back, from a database left at 2.0.6 with an archive and a backfill half done."""

import pytest

from tests.fixtures.databases import Alembic
from tests.operations.rollback.conftest import execute
from tests.operations.test_deployed_before import EVENTS, Deployed, deployed, succeed

__all__ = ["deployed"]

ROWS = "SELECT md5(string_agg(e::text, '|' ORDER BY e.event_id)) FROM analytics.analytics_events AS e"
RECOMMENDATIONS = """
    INSERT INTO analytics.content_recommendations
        (niche_id, content_type, title, description, opportunity_score, model_version, valid_until)
    SELECT n, 'video', 'title ' || n, 'why', 0.5, '1', now() + interval '1 day' FROM generate_series(1, 20) AS n
"""
EXACT = """
    SELECT (SELECT coalesce(sum(events), 0) FROM analytics.niche_daily_activity)
        = (SELECT count(*) FROM analytics.analytics_events WHERE niche_id IS NOT NULL)
"""


@pytest.mark.parametrize("finished", ["by month", "one table"])
def test_there_and_back(deployed: Deployed, finished: str) -> None:
    url = deployed("half_done_backfill")
    execute(url, RECOMMENDATIONS)
    succeed(url, "rollback", "2.0.1", "--yes")
    Alembic(url).upgrade("2.0.6")
    assert execute(url, "SELECT count(*) FROM sidb_archive_1.content_recommendations") == [(20,)]
    assert execute(url, "SELECT count(*) FROM analytics.analytics_events") == [(250,)]
    before = execute(url, ROWS)
    Alembic(url).upgrade("2.1.0")
    assert execute(url, ROWS) == before
    Alembic(url, x=("deadline=30s",)).downgrade("2.0.6")
    assert execute(url, ROWS) == before
    if finished == "by month":
        succeed(url, "upgrade")
    succeed(url, "restore", "1")
    assert execute(url, "SELECT count(*) FROM analytics.content_recommendations") == [(20,)]
    succeed(url, "backfill", "resume")
    succeed(url, "backfill", "run", "--all", "--now")
    succeed(url, "backfill", "verify")
    moved = dict(execute(url, EVENTS))
    assert moved.pop("niche_scored") == 91
    assert sum(moved.values()) == 400
    assert execute(url, EXACT) == [(True,)]
    if finished == "one table":
        succeed(url, "upgrade")
        succeed(url, "backfill", "verify")
        assert execute(url, EXACT) == [(True,)]
