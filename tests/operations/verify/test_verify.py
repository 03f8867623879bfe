"""A sound database is all well; what is pending is a warning, and what cannot be looked at is unknown."""

import json
import threading
from collections.abc import Callable

import psycopg
import pytest
from alembic_online.errors import OnlineError
from click.testing import CliRunner
from sqlalchemy import Engine

from models.reader import Reader, readers
from operations import phase1
from operations.cli import main
from operations.phase1 import Shape
from operations.verify import CHECKS
from tests.engine.conftest import until
from tests.factories.insights import InsightFactory
from tests.factories.recommendations import ContentRecommendationFactory
from tests.factories.trends import TrendCacheFactory
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import NICHES, Alembic, Clone, conninfo
from tests.fixtures.revisions import HEAD
from tests.fixtures.roles import Login
from tests.fixtures.rows import factories_on
from tests.fixtures.traffic import traffic
from tests.operations.verify.conftest import look, plant, verdicts

ALWAYS = [check.name for check in CHECKS if check.name not in ("half-way", "readers", "readers on replicas")]
REFRESH = "SELECT analytics.refresh_stale_views()"
# The application at work: the API writes scores, events come in, Phase 1 renews its hot niches.
AT_WORK = """
    UPDATE public.features SET demand_score = 0.5, updated_at = now() WHERE niche_id IN (26, 150);
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
    VALUES ('view', 'web', now(), '{}', 26), ('search', 'web', now(), '{}', 150), ('view', 'web', now(), '{}', NULL);
"""


@pytest.mark.parametrize("percent", [100, 20])
def test_a_sound_database_is_all_well(
    percent: float, clone: Clone, shape: Shape, connect: Callable[..., Engine]
) -> None:
    url = clone(f"backfilled_{shape}")
    plant(url, AT_WORK + REFRESH)
    with connect(url).begin() as connection:
        phase1.refresh(connection, shape)
    found = look(url, percent)
    assert {finding.verdict for finding in found.findings} == {"ok"}, found.findings
    only_here = {"Phase 1 view"} if shape is Shape.TABLE else set()
    assert [finding.check for finding in found.findings] == [each for each in ALWAYS if each not in only_here]
    assert (found.exit_code, found.next_step) == (0, "sidb monitor, from now on")
    details = verdicts(found, "ok")
    assert f"{NICHES - 2} unchanged since" in details["Phase 1 rows"]
    assert "2 written by the application since, 0 new" in details["Phase 1 rows"]
    partly = [check for check, detail in details.items() if "a sample of 20 %" in detail]
    looked_at_in_part = ["foreign keys", "check constraints", "not null", "keys", "indexes", "activity"]
    looked_at_in_part += ["materialized views", "history", "scores", "trends", "hot trends"]
    assert partly == (looked_at_in_part if percent < 100 else [])


def test_a_hot_niche_that_was_written_behind_the_applications_back(clone: Clone, shape: Shape) -> None:
    url = clone(f"backfilled_{shape}")
    change = "UPDATE public.features SET supply_score = 1 - supply_score WHERE niche_id = 26"
    plant(url, f"SET session_replication_role = replica; {change}")
    failed = verdicts(look(url), "failed")
    assert set(failed) == {"hot niches", "Phase 1 rows"}
    assert "niche 26 differs from features" in failed["hot niches"]


def test_what_is_pending_is_a_warning_with_its_remedy(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, "UPDATE public.features SET opportunity = 0.00001, updated_at = now() WHERE niche_id = 150")
    found = look(url)
    assert set(verdicts(found, "warning")) == {"materialized views"}
    assert "trending_niches differs in 1 niches (150); it is marked as stale 1 times" in str(found.findings)
    assert (found.exit_code, found.next_step) == (0, "sidb maintain; then sidb verify")
    plant(url, "INSERT INTO public.features (phrase, opportunity) VALUES ('new', 0.5)")
    plant(url, REFRESH)
    found = look(url)
    assert set(verdicts(found, "warning")) == {"scores", "trends"}
    assert verdicts(found, "failed") == {}
    assert found.next_step == "sidb backfill run; then sidb verify"


def test_a_hot_niche_that_is_left_out_waits_for_the_refresh(clone: Clone) -> None:
    url = clone("backfilled_table")
    plant(url, """
        DELETE FROM public.hot_niches_today WHERE niche_id = (
            SELECT niche_id FROM public.hot_niches_today ORDER BY updated_at OFFSET 3 LIMIT 1
        )
    """)  # fmt: skip
    found = look(url)
    assert set(verdicts(found, "warning")) == {"hot niches"}
    assert "1 niches belong to the top 50, too: refresh pending" in verdicts(found, "warning")["hot niches"]


def test_hot_niches_before_any_backfill(clone: Clone) -> None:
    url = clone("migrated_table")
    found = look(url)
    assert verdicts(found, "failed") == {}
    assert set(verdicts(found, "warning")) == {"history", "scores", "trends", "hot trends"}
    assert found.next_step == "sidb backfill run; then sidb verify"
    plant(url, "UPDATE public.hot_niches_today SET trend_direction = 'rising' WHERE niche_id = 26")
    failed = verdicts(look(url), "failed")
    assert set(failed) == {"hot niches"}
    assert "niche 26 has the trend (rising,,), where an empty vector gives (stable,0.0000,0)" in failed["hot niches"]


@pytest.mark.parametrize("revision", ["1.0.0", "2.0.1", "2.0.4", "2.0.5"])
def test_a_database_on_its_way_is_verified_as_far_as_it_is(revision: str, clone: Clone, shape: Shape) -> None:
    url = clone(f"phase1_{shape}")
    Alembic(url).upgrade(revision)
    found = look(url)
    assert verdicts(found, "failed") == {}
    assert (
        verdicts(found, "warning")["revision"]
        == f"{revision}; the newest is {HEAD}. What is there at that revision is verified"
    )
    unknown = {"catalog", "Phase 1 rows"} if revision == "1.0.0" else {"catalog"}
    assert set(verdicts(found, "unknown")) == unknown
    assert found.next_step == "sidb upgrade; then sidb verify"
    plant(url, "DELETE FROM public.features WHERE niche_id = 150")
    assert ("Phase 1 rows" in verdicts(look(url), "failed")) == (revision != "1.0.0")


def test_phase_1_as_it_is_and_no_phase_1(clone: Clone, shape: Shape) -> None:
    found = look(clone(f"phase1_{shape}"))
    assert verdicts(found, "warning") == {"revision": f"none yet; the newest is {HEAD}"}
    assert found.next_step == "sidb upgrade; then sidb verify"
    with pytest.raises(OnlineError, match=r"There is nothing to verify in .*: it has no table public\.features"):
        look(clone("empty"))


def test_a_revision_of_another_version(clone: Clone) -> None:
    url = clone("migrated_table")
    plant(url, "UPDATE alembic_version SET version_num = '9.9.9'")
    assert verdicts(look(url), "failed") == {"revision": "9.9.9, which this code does not have"}


@pytest.mark.parametrize(
    ("rights", "readable"),
    [
        ((), {"in force"}),
        (("analytics_reader",), {"in force"}),
        (("analytics_writer", "SELECT ON public.features", "SELECT ON alembic_version"), {"revision", "foreign keys"}),
    ],
    ids=["nothing", "reader", "writer"],
)
def test_what_a_role_may_not_see_is_unknown(rights: tuple[str, ...], readable: set[str], login: Login) -> None:
    found = look(login(*rights), with_readers=True)
    assert verdicts(found, "failed") == {}
    unknown = verdicts(found, "unknown")
    assert set(verdicts(found, "ok")) >= readable
    assert {"catalog", "Phase 1 rows", "hot niches"} <= set(unknown)
    assert "permission denied for" in unknown["hot niches"]
    assert "permission denied for schema sidb" in unknown["Phase 1 rows"]
    assert all(finding.remedy for finding in found.findings if finding.verdict == "unknown")


def test_what_is_locked_is_unknown(clone: Clone) -> None:
    url = clone("migrated_table")
    with psycopg.connect(conninfo(url)) as other:
        other.execute("LOCK TABLE analytics.niche_daily_activity_summary")
        unknown, holder = verdicts(look(url), "unknown"), other.info.backend_pid
    assert set(unknown) == {
        "activity",
        "catalog",
        "not null",
        "keys",
        "indexes",
    }  # PostgreSQL cannot print a view's definition without a look at it
    assert unknown["activity"].startswith(f"locked by pid {holder} on analytics.niche_daily_activity_summary (user ")


def test_nothing_fails_while_the_application_writes(clone: Clone) -> None:
    url = clone("backfilled_table")
    with traffic(url, writers=2, readers=0, hold=None) as running:
        found = look(url)
        report = running.report()
    assert verdicts(found, "failed") == {}
    assert set(verdicts(found, "warning")) <= {"scores", "trends", "materialized views"}  # new niches, and changed ones
    assert report.errors == []


def test_a_connection_that_is_lost_ends_it(clone: Clone) -> None:
    url = clone("migrated_table")
    with psycopg.connect(conninfo(url)) as other:
        other.execute("LOCK TABLE analytics.niche_daily_activity_summary")
        ending = threading.Thread(target=end_who_waits, args=(conninfo(url),))
        ending.start()
        with pytest.raises(OnlineError, match=r"connection was lost while .* was looked at: terminating connection"):
            look(url)
        ending.join()


def end_who_waits(address: str) -> None:
    waits = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted"
    with psycopg.connect(address, autocommit=True) as connection:
        until(lambda: connection.execute(waits).fetchone() is not None, "it waits for the lock")


def test_a_standby_is_verified_but_for_what_must_be_built(cluster: Cluster, cluster_clone: Clone) -> None:
    url = cluster_clone("backfilled_table")
    cluster.caught_up()
    assert url.database is not None
    found = look(cluster.replica_url(url.database))
    assert verdicts(found, "failed") == {}
    assert set(verdicts(found, "unknown")) == {"catalog", "indexes"}  # amcheck cannot be installed there
    assert "it is a standby" in verdicts(found, "unknown")["catalog"]


def test_readers_are_asked_for_what_is_there(clone: Clone, connect: Callable[..., Engine]) -> None:
    url = clone("backfilled_table")
    with factories_on(connect(url)) as session:
        InsightFactory(niche_id=150, insight_type="gap_analysis")
        ContentRecommendationFactory(niche_id=151, user_id="somebody")
        TrendCacheFactory(correlation=True, niche_id=152, related_niche_id=153)
        session.commit()
    found = [finding for finding in look(url, 1, with_readers=True).findings if finding.check == "readers"]
    assert [finding.detail.partition(":")[0] for finding in found] == [reader.name for reader in readers()]
    assert {finding.verdict for finding in found} == {"ok"}
    asked = {finding.detail.partition(":")[0]: finding.detail.rpartition(" (")[2] for finding in found}
    assert asked["competitor_analysis"] == "1 rows for niche_id 150)"
    assert asked["content_recommendations"] == "1 rows for niche_id 151, user_id somebody)"
    assert asked["trend_correlations"] == "1 rows for niche_id 152)"
    assert not [reader for reader, answer in asked.items() if answer.startswith("0 rows for niche_id")]


def test_a_reader_over_its_budget_fails(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reader, "budget_ms", 0)
    found = look(clone("migrated_table"), with_readers=True)
    assert [finding.verdict for finding in found.findings if finding.check == "readers"] == ["failed"] * len(readers())
    assert found.exit_code == 1


def test_at_the_console(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("backfilled_table")
    monkeypatch.setenv("DATABASE_URL", url.render_as_string(hide_password=False))
    well = CliRunner().invoke(main, ["verify", "--sample", "50"])
    assert well.exit_code == 0
    assert well.output.splitlines()[0].split() == ["ok", "revision", f"{HEAD},", "the", "newest"]
    assert well.output.endswith("\nNext: sidb monitor, from now on\n")
    plant(url, "DROP INDEX analytics.idx_analytics_events_type_source")
    failed = CliRunner().invoke(main, ["verify", "--json"])
    assert failed.exit_code == 1
    told = json.loads(failed.stdout)
    assert [finding["check"] for finding in told["findings"] if finding["verdict"] == "failed"] == ["catalog"]
    assert CliRunner().invoke(main, ["verify", "--sample", "0"]).exit_code == 2
