"""Rollback: what goes is kept, what stays is as it was before the upgrade."""

import pytest
from sqlalchemy import Engine

from tests.engine.conftest import current
from tests.operations.rollback.conftest import EVENTS, PHASE1, execute, roll_back, verdicts
from tests.revisions.catalog import contents


@pytest.mark.parametrize("target", ["1.0.0", "2.0.0", "2.0.3"])
def test_everything_is_kept_and_nothing_else_is_left(filled: Engine, target: str, inhabited: bool) -> None:
    url = filled.url
    phase1 = contents(filled, *PHASE1)
    files = dict(
        execute(
            url,
            "SELECT replace(relname, 'events_first', 'events'), relfilenode FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace IN ('analytics'::regnamespace, 'analytics_partitions'::regnamespace)",
        )
    )
    filled.dispose()
    found = roll_back(url, target)
    assert found.exit_code == 0, [str(each) for each in found.findings if each.verdict != "ok"]
    assert verdicts(found) == {
        "backfill": "ok",
        "access closed": "ok",
        "sessions ended": "ok",
        "moved aside": "ok",
        "catalog": "ok",
        "Phase 1 data": "ok",
        "access opened": "ok",
        "smoke queries": "ok",
    }
    assert current(url) == target
    assert contents(filled, *PHASE1) == phase1
    moved = execute(
        url,
        "SELECT relname, relfilenode FROM pg_class"
        " WHERE relnamespace = 'sidb_archive_1'::regnamespace AND relkind = 'r' AND relname !~ 'features|hot'",
    )
    assert {name for name, _ in moved} == MOVED[target]
    assert all(files[name] == node for name, node in moved), "a moved table is not written anew"
    if target == "1.0.0":
        assert execute(url, "SELECT count(*) FROM sidb_archive_1.analytics_events") == [(EVENTS,)]
        stays = "SELECT obj_description(to_regnamespace('analytics')) IS NOT NULL"
        assert execute(url, stays) == [(inhabited,)]  # for an extension and partitions of others
    copied = 'SELECT count(*), min(analytics_version) FROM sidb_archive_1."columns of features"'
    assert execute(url, copied) == [(150, 2)]


ALWAYS = {"niche_daily_activity_kept", "retention"}
MOVED = {
    "1.0.0": ALWAYS
    | {
        "analytics_events",
        "trend_cache",
        "cross_platform_metrics",
        "content_recommendations",
        "insight_registry",
    },
    "2.0.0": ALWAYS | {"trend_cache", "cross_platform_metrics", "content_recommendations", "insight_registry"},
    "2.0.3": ALWAYS,
}
