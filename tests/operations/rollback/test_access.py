"""Closing and opening: who is shut out, who is not and is named, and that everybody gets back exactly what was his."""

from collections.abc import Callable
from contextlib import closing

import psycopg
import pytest
from alembic_online.errors import OnlineError
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import URL, Engine

from operations.embedded import Server
from operations.phase1 import Shape
from operations.rollback import access
from operations.rollback.records import alone, reading
from operations.rollback.way import way
from tests.engine.conftest import catalog, current
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.logs import when_told
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import (
    Fill,
    Role,
    abort,
    execute,
    finding,
    grant,
    privileges,
    roll_back,
    verdicts,
)
from tests.revisions.conftest import OWNER, deploy


@pytest.fixture
def closed(role: Role, fill: Fill) -> tuple[URL, str]:
    """A database in which several people granted several things, and a role that may read and write."""
    url = fill(Shape.TABLE).url
    return url, grant(url, role)


def test_privileges_are_the_same_before_and_after(closed: tuple[URL, str]) -> None:
    url, _ = closed
    before = privileges(url)
    assert len(set(before["trend_cache"][0].split(","))) > 3
    found = roll_back(url, "2.0.1")
    assert finding(found, "access opened").verdict == "ok"
    after = privileges(url)
    assert "trend_vector" in str(before.pop("features")), "goes with its column, and comes back with it"
    assert "trend_vector" not in str(after.pop("features"))
    assert set(after) >= {"analytics_events", "trend_cache", "trend_cache_trend_id_seq"}
    assert after == {name: before[name] for name in after}


def test_applications_are_shut_out_and_phase1_is_not(closed: tuple[URL, str]) -> None:
    url, app = closed
    before = privileges(url)
    as_app = url.set(username=app)
    with alone(url) as records:
        back = way(records.session, "2.0.0")
        records.open()
        rollback = records.begin(back.current, back.target)
        said = access.close(records, rollback, back)
        assert "superuser" in said.detail
        for table in ("analytics_events", "trend_cache"):
            with pytest.raises(InsufficientPrivilege):
                execute(as_app, f"SELECT count(*) FROM analytics.{table}")  # noqa: S608
        assert execute(as_app, "SELECT count(*) FROM features") == [(200,)]
        assert access.rights(records.connection, back.affected) == []
    aborted = abort(url)
    assert verdicts(aborted) == {"backfill": "ok", "access opened": "ok", "given up": "ok"}
    assert finding(aborted, "given up").detail == f"the tables are open again; the database is at {HEAD}"
    assert aborted.next_step == "there is nothing more to do: the database is as it was before."
    assert privileges(url) == before


def test_who_cannot_be_shut_out_is_named(fill: Fill) -> None:
    """REVOKE stops neither superusers nor the owner's own roles: that is said, and nothing is claimed."""
    url = fill(Shape.TABLE).url
    as_superuser = conninfo(lived_in.administrator(url))
    with psycopg.connect(as_superuser, autocommit=True, application_name="app as superuser") as app:
        app.execute("SELECT 1")
        found = finding(roll_back(url, "1.0.0"), "access closed")
        assert (found.verdict, "postgres (a superuser, 1 sessions)" in found.detail) == ("warning", True)


def test_sessions_on_the_tables_are_ended_and_phase1s_go_on(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    with reading(url) as records:
        back = way(records.session, "1.0.0")
    with (
        closing(psycopg.connect(conninfo(url))) as reader,
        closing(psycopg.connect(conninfo(url))) as scorer,
        psycopg.connect(conninfo(url), autocommit=True) as ours,
    ):
        reader.execute("SELECT count(*) FROM analytics.trend_cache")
        # its trigger writes to analytics.stale_views
        scorer.execute("UPDATE features SET opportunity = opportunity WHERE niche_id = 1")
        said = access.end_sessions(ours, back.applications)
        assert (said.verdict, f"pid {reader.info.backend_pid} " in said.detail) == ("ok", True)
        with pytest.raises(psycopg.OperationalError):
            reader.execute("SELECT 1")
        assert scorer.execute("SELECT 1").fetchone() == (1,)


def test_what_is_not_ours_and_uses_what_goes(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    execute(url, "CREATE VIEW public.report AS SELECT count(*) FROM analytics.trend_cache")
    before = catalog(url)
    with pytest.raises(OnlineError, match=r"view public.report uses analytics.trend_cache") as caught:
        roll_back(url, "1.0.0")
    assert "(DROP VIEW public.report;)" in caught.value.next_step
    assert "--take-along" in caught.value.next_step
    assert (catalog(url), current(url)) == (before, HEAD)


def test_what_others_built_on_what_goes_is_named_whatever_it_is(clone: Clone, shape: Shape) -> None:
    url = clone(f"lived_in_{shape}")
    Alembic(url).upgrade()
    lived_in.dependants(url)
    administrator = lived_in.administrator(url)
    execute(administrator, "CREATE PUBLICATION charts FOR TABLE analytics.trend_cache")
    execute(administrator, "CREATE VIEW reporting.hot AS SELECT days_trending FROM public.hot_niches_today")
    before = catalog(url)
    with pytest.raises(OnlineError, match="Objects of others use what would be dropped; nothing was changed") as caught:
        roll_back(url, "2.0.0")
    said = {line.strip() for line in caught.value.what.splitlines()[1:]}
    for user, used in (
        ("view reporting.trends", "public.features.trend_vector"),
        ("view reporting.charts", "analytics.trend_cache"),
        ("index public.features.features_analyzed_idx", "public.features.last_analyzed_at"),
        ("column public.features.days", "public.features.trend_vector"),
        ("policy public.features.features_analyzed", "public.features.last_analyzed_at"),
        ("publication of table analytics.trend_cache in publication charts", "analytics.trend_cache"),
        ("view reporting.hot", "public.hot_niches_today"),
    ):
        assert any(line.startswith(f"{user} uses {used}") for line in said), (user, said)
    assert "CASCADE" not in str(caught.value)
    assert (catalog(url), current(url)) == (before, HEAD)


def test_what_others_built_on_phase_1_is_in_nobodys_way(clone: Clone, shape: Shape) -> None:
    url = clone(f"lived_in_{shape}")
    Alembic(url).upgrade()
    administrator = lived_in.administrator(url)
    execute(administrator, "CREATE VIEW reporting.phrases AS SELECT phrase FROM public.features")
    assert verdicts(roll_back(url, "2.0.0"))["moved aside"] == "ok"
    assert execute(administrator, "SELECT count(*) FROM reporting.phrases") != [(0,)]


def test_a_migrator_without_superuser(
    server: Server, role: Role, clone: Clone, connect: Callable[..., Engine], shape: Shape
) -> None:
    """It may neither grant for others nor end their sessions: the first is refused beforehand, the second is said."""
    deployment = deploy(server, clone("empty"), shape, connect)
    url = deployment.owner.url
    Alembic(url).upgrade()
    deployment.owner.dispose()
    chief, app = role("chief"), role("app")
    where = deployment.superuser.url
    deployment.superuser.dispose()
    execute(
        where,
        f"""
        GRANT USAGE ON SCHEMA analytics TO PUBLIC;
        GRANT SELECT ON analytics.trend_cache TO {chief} WITH GRANT OPTION;
        SET ROLE {chief};
        GRANT SELECT ON analytics.trend_cache TO {app};
        """,
    )
    with pytest.raises(OnlineError, match=f"analytics.trend_cache: {chief} passed privileges on"):
        roll_back(url, "2.0.1")
    assert current(url) == HEAD
    execute(where, f"GRANT {chief} TO {OWNER}")
    before = privileges(where)
    with closing(psycopg.connect(conninfo(url.set(username=app)), autocommit=True)) as reader:
        reader.execute("BEGIN; SELECT count(*) FROM analytics.trend_cache")
        pid = reader.info.backend_pid
        with when_told(f"{HEAD} downgrade: done", reader.close):
            found = roll_back(url, "2.0.0")
        assert finding(found, "sessions ended").verdict == "warning"
        assert f"pid {pid}" in finding(found, "sessions ended").detail
    assert found.exit_code == 0
    left = privileges(where)
    assert left == {name: before[name] for name in left}
    execute(where, f"REVOKE {chief} FROM {OWNER}")


def test_a_role_that_came_late_gets_nothing_of_what_a_rollback_has_closed(clone: Clone) -> None:
    url = clone("migrated_table")
    execute(url, "REVOKE ALL ON SCHEMA analytics FROM analytics_reader")
    may = "SELECT has_schema_privilege('analytics_reader', 'analytics', 'USAGE')"
    with alone(url) as records:
        records.open()
        rollback = records.begin(HEAD, "1.0.0")
        with pytest.raises(OnlineError, match=r"The rollback to 1\.0\.0, begun .* is at work"):
            Alembic(url).upgrade()
        assert execute(url, may) == [(False,)]
        records.reached(rollback, "aborted")
    Alembic(url).upgrade()
    assert execute(url, may) == [(True,)]
