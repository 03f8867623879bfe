"""What is not as before after a rollback or a restore is found and named: catalog, rows, queries, privileges."""

import io
from collections.abc import Iterator

import pytest
from alembic_online.errors import OnlineError
from click.testing import CliRunner
from rich.console import Console
from sqlalchemy import URL

from operations.cli import main
from operations.phase1 import Shape
from operations.rollback import archives, restore
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.ended import counted, once
from tests.fixtures.lived_in import administrator
from tests.operations.rollback.conftest import MOVES, Fill, abort, bring_back, execute, finding, pressed, roll_back


@pytest.fixture
def almost_done(fill: Fill) -> URL:
    """A rollback to 2.0.5 that was interrupted before its last queries."""
    url = fill(Shape.TABLE).url
    pressed(url, "ORDER BY opportunity DESC", "rollback", "2.0.5", "--yes")
    return url


BEHIND_BACK = "SET session_replication_role = replica; "


@pytest.mark.parametrize(
    ("check", "statement", "verdict", "named"),
    [
        ("catalog", "SELECT", "ok", " objects, as before the upgrade to 2.0.6"),
        (
            "catalog",
            "COMMENT ON TABLE analytics.trend_cache IS 'Mine'; DROP INDEX analytics.idx_trend_cache_related_niche_id",
            "failed",
            "changed comment on table analytics.trend_cache; removed index "
            "analytics.trend_cache.idx_trend_cache_related_niche_id",
        ),
        ("catalog", "DROP TABLE analytics.insight_registry CASCADE", "failed", " more"),
        ("catalog", "DELETE FROM sidb.step WHERE direction = 'upgrade'", "unknown", "the ledger does not know the"),
        (
            "catalog",
            "UPDATE sidb.step SET outcome = 'failed' WHERE direction = 'upgrade'",
            "unknown",
            "the ledger does not know the",
        ),
        (
            "Phase 1 data",
            "UPDATE public.features SET demand_score = 0.5, updated_at = clock_timestamp() WHERE niche_id = 7",
            "ok",
            "199 niches unchanged, 1 written meanwhile, 0 new",
        ),
        (
            "Phase 1 data",
            f"{BEHIND_BACK}UPDATE public.features SET demand_score = 1 - demand_score / 2 WHERE niche_id = 7",  # noqa: S608
            "failed",
            "altered 1 [7], vanished 0 [], older than then 0 []; 199 niches unchanged",
        ),
        ("Phase 1 data", f"{BEHIND_BACK}DELETE FROM public.features WHERE niche_id = 7", "failed", "vanished 1 [7], "),  # noqa: S608
        (
            "Phase 1 data",
            f"{BEHIND_BACK}UPDATE public.features SET updated_at = '2001-01-01' WHERE niche_id = 7",  # noqa: S608
            "failed",
            "older than then 1 [7]; ",
        ),
        ("Phase 1 data", "DELETE FROM sidb.fingerprint WHERE moment = 'before rollback'", "unknown", "no fingerprint"),
        ("smoke queries", "SELECT", "ok", "3 answered: a niche, the top five, niche_history"),
        (
            "smoke queries",
            "ALTER TABLE public.hot_niches_today RENAME TO hot_niches_gone",
            "failed",
            'the top five: relation "public.hot_niches_today" does not exist',
        ),
        (
            "smoke queries",
            "ALTER TABLE analytics.analytics_events RENAME TO events_aside;"
            " CREATE VIEW analytics.analytics_events AS SELECT * FROM analytics.events_aside WHERE 1 / 0 = 1",
            "failed",
            "niche_history: division by zero",
        ),
    ],
)
def test_after_a_rollback(almost_done: URL, check: str, statement: str, verdict: str, named: str) -> None:
    execute(administrator(almost_done), statement)
    found = roll_back(almost_done, None)
    assert (finding(found, check).verdict, named in finding(found, check).detail) == (verdict, True), found.findings
    if check != "smoke queries":
        assert found.exit_code == {"ok": 0, "failed": 1, "unknown": 3}[verdict]
    assert execute(almost_done, "SELECT phase FROM sidb.rollback") == [("done",)], "it is over all the same"


def test_a_catalog_that_a_restore_did_not_leave(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    roll_back(url, "2.0.3")
    Alembic(url).upgrade()
    theirs = "COMMENT ON TABLE analytics.trend_cache IS 'Mine'; GRANT SELECT ON analytics.trend_cache TO PUBLIC"
    found: list[str] = []

    def restored() -> None:
        found.append(str(finding(bring_back(url), "models")))

    counted(restored, once("refresh_stale_views", lambda: execute(url, theirs)))
    assert "comment on table analytics.trend_cache" in found[0]
    assert "privilege" not in found[0], "these are granted again just then"


@pytest.fixture
def late(fill: Fill) -> Iterator[tuple[URL, str]]:
    """A role that may read trend_cache, and the database."""
    url = fill(Shape.TABLE).url
    role = f"{url.database}_late"
    execute(administrator(url), f"CREATE ROLE {role}; GRANT SELECT ON analytics.trend_cache TO {role}")
    yield url, role
    execute(
        administrator(url),
        f"DO $$ BEGIN DROP OWNED BY {role}; DROP ROLE {role}; EXCEPTION WHEN undefined_object THEN END $$",
    )


def test_a_privilege_whose_role_is_gone(late: tuple[URL, str]) -> None:
    url, role = late
    roll_back(url, "2.0.0")
    execute(administrator(url), f"DROP ROLE {role}")
    Alembic(url).upgrade()
    found = bring_back(url)
    opened = finding(found, "access opened")
    assert (found.exit_code, opened.verdict) == (1, "failed")
    assert opened.detail.startswith(f"not granted again: SELECT on analytics.trend_cache to {role} by ")
    assert execute(url, "SELECT count(*) FROM analytics.trend_cache") == [(60,)]
    assert finding(found, "restored").verdict == "ok"


def test_given_up_without_all_privileges(late: tuple[URL, str]) -> None:
    url, role = late
    pressed(url, MOVES, "rollback", "2.0.1", "--yes")
    execute(administrator(url), f"DROP ROLE {role}")
    found = abort(url)
    assert finding(found, "access opened").verdict == "failed"
    given_up = finding(found, "given up")
    assert (found.exit_code, given_up.verdict) == (1, "failed")
    assert given_up.detail.startswith("the tables are open, but for what is listed above; ")
    assert execute(url, "SELECT phase FROM sidb.rollback") == [("aborted",)]


def test_given_up_where_it_did_not_begin_at_the_newest_revision(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    Alembic(url).downgrade("2.0.5")
    pressed(url, MOVES, "rollback", "2.0.1", "--yes")
    said = abort(url).next_step
    assert ", not at 2.0.5 as before" in said
    assert said.startswith("`sidb upgrade 2.0.5`, then `sidb restore 1`, ")


def test_the_archive_of_a_rollback_that_is_not_finished_is_not_dropped(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    pressed(url, "ORDER BY opportunity DESC", "rollback", "2.0.3", "--yes")
    with pytest.raises(OnlineError, match=r"The rollback to 2\.0\.3 is not finished") as refused:
        archives.drop(url, 1)
    assert "sidb rollback" in refused.value.next_step
    assert execute(url, 'SELECT count(*) FROM sidb_archive_1."columns of features"') == [(150,)]
    roll_back(url, None)
    archives.drop(url, 1)
    assert execute(url, "SELECT to_regnamespace('sidb_archive_1')") == [(None,)]
    assert {line.state for line in archives.archives(url).tables} == {"dropped"}


@pytest.mark.parametrize("reached", ["2.0.3", "2.0.4"])
def test_columns_come_back_where_there_is_a_place_for_them(fill: Fill, reached: str) -> None:
    url = fill(Shape.TABLE).url
    roll_back(url, "2.0.3")
    Alembic(url).upgrade(reached)
    result = CliRunner().invoke(main, ["restore", "1"], env={"DATABASE_URL": conninfo(url)})
    if reached == "2.0.3":
        assert "The archive cannot be restored yet: public.features.analytics_version, " in result.stderr
        assert result.exit_code == 1
    else:
        assert result.exit_code == 0, result.output
        assert execute(url, "SELECT count(*) FROM public.features WHERE analytics_version = 2") == [(150,)]


def test_a_restore_asks_for_the_archive_that_is_there(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    with pytest.raises(OnlineError, match="There is no archive 1"):
        restore.restore(url, 1, restore.Choice(skip=False, renumber=False), Console(file=io.StringIO()))
