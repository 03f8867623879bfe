"""What each job writes, and that the whole is proved."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from backfill.jobs import HOT_NICHES
from backfill.tables import Range
from models.reader import Reader
from operations.phase1 import Shape
from tests.backfill.conftest import AS_OF, Sql, begin, history, load_file, run, verify, write_csv
from tests.fixtures.databases import Clone


def test_history_scores_trends_and_hot_niches(migrated: Engine, sql: Sql, history_file: Path) -> None:
    loaded = load_file(migrated, history_file)
    assert (loaded.records, loaded.rejected) == (3_000, 0)
    summary = run(migrated)
    assert (summary.ended, summary.refused) == ("done", 0)

    [(events, scored)] = sql(
        "SELECT count(*) FILTER (WHERE event_type <> 'niche_scored'), "
        "count(*) FILTER (WHERE event_type = 'niche_scored') FROM analytics.analytics_events"
    )
    assert (events, scored) == (3_000, 250)
    assert sql(
        "SELECT count(*) FROM features AS f JOIN analytics.analytics_events AS e USING (niche_id) "
        "WHERE e.event_type = 'niche_scored' AND e.event_source = 'phase1' AND e.event_timestamp = f.updated_at "
        "AND (e.event_data ->> 'demand_score')::numeric IS NOT DISTINCT FROM f.demand_score "
        "AND (e.event_data ->> 'opportunity')::numeric IS NOT DISTINCT FROM f.opportunity"
    ) == [(250,)]
    assert sql(
        "SELECT count(*) FROM features AS f JOIN analytics.ml_features AS v USING (niche_id) "
        "WHERE v.vector = ARRAY[f.demand_score, f.monetise_score, f.supply_score]::float8[]"
    ) == [(250,)]  # the niches that the history brought have scores of 0
    assert sql("SELECT count(*) FROM analytics.cross_platform_metrics WHERE platform = 'youtube'") == [(250,)]
    assert sql("SELECT count(*) FROM features WHERE analytics_version = 1 AND last_analyzed_at = :at", at=AS_OF) == [
        (250,)
    ]
    assert sql("SELECT count(*) FROM hot_niches_today WHERE days_trending IS NULL") == [(0,)]
    assert all(proof.holds for proof in verify(migrated))


def test_a_vector_holds_the_90_complete_days_and_no_scorings(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    def event(day: str) -> tuple[str, ...]:
        return ("view", "web", f"{day}T12:00:00Z", "{}", "", "1", "")

    rows = [event("2025-05-31"), event("2025-05-31"), event("2025-06-01"), event("2025-03-03"), event("2025-03-02")]
    scoring = ("niche_scored", "web", "2025-05-30T00:00Z", '{"demand_score": 0.5, "supply_score": 0.25}', "", "1", "")
    load_file(migrated, write_csv(tmp_path / "few.csv", [*rows, scoring]))
    run(migrated)
    [(vector,)] = sql("SELECT trend_vector FROM features WHERE niche_id = 1")
    assert len(vector) == 90
    assert (vector[0], vector[-1]) == (["2025-03-03", 1], ["2025-05-31", 2])
    assert sum(events for _, events in vector) == 3
    assert [date.fromisoformat(day) for day, _ in vector] == [date(2025, 3, 3) + timedelta(days=n) for n in range(90)]
    [(quiet,)] = sql("SELECT trend_vector FROM features WHERE niche_id = 2")
    assert [events for _, events in quiet] == [0] * 90

    with migrated.connect() as connection:
        chart = connection.execute(
            text(Reader("trend_chart").sql), {"niche_id": 1, "period": "90d", "granularity": "daily"}
        ).all()
    past = [point for point in chart if not point.forecast]
    ahead = [point for point in chart if point.forecast]
    assert [(point.at, float(point.demand), float(point.supply)) for point in past] == [(date(2025, 5, 30), 0.5, 0.25)]
    assert [point.at for point in ahead] == [date(2025, 6, 1) + timedelta(days=n) for n in range(7)]
    assert all(0 <= point.confidence <= 1 for point in ahead)


@pytest.mark.parametrize("again", [False, True])
def test_both_shapes_of_hot_niches_are_filled(
    shape: Shape, again: bool, clone: Clone, connect: Callable[..., Engine], tmp_path: Path
) -> None:
    engine = connect(clone(f"migrated_{shape}"))
    load_file(engine, write_csv(tmp_path / "h.csv", history(2_000, days=20)))
    run(engine)
    if again:  # a file that comes later makes the trends stale
        load_file(engine, write_csv(tmp_path / "later.csv", history(2_000, seed=2, days=20)))
        run(engine)
    with engine.connect() as connection:
        differing = connection.execute(
            text(
                "SELECT count(*), count(*) FILTER (WHERE h.trend_direction IS DISTINCT FROM t.direction "
                "OR h.days_trending IS DISTINCT FROM t.days OR h.trend_confidence <> t.confidence OR t.confidence = 0) "
                "FROM hot_niches_today AS h JOIN features AS f USING (niche_id), "
                "analytics.trend_of(f.trend_vector) AS t"
            )
        ).one()
    assert differing[0] > 0
    assert differing[1] == 0
    assert all(proof.holds for proof in verify(engine))


def test_what_live_traffic_wrote_is_newer_and_stays(migrated: Engine, sql: Sql, history_file: Path) -> None:
    load_file(migrated, history_file)
    sql(
        "INSERT INTO analytics.ml_features (niche_id, feature_set, model_version, dimension, vector) "
        "VALUES (1, 'phase1_scores', 'phase1', 1, '{0.125}')"
    )
    sql("INSERT INTO analytics.cross_platform_metrics (niche_id, platform, demand_score) VALUES (1, 'youtube', 0.125)")
    sql("UPDATE features SET trend_vector = '[]', analytics_version = 2, last_analyzed_at = now() WHERE niche_id = 1")
    sql(
        "INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, trend_data, parameters, valid_until) "
        "VALUES (2, 'chart', 'niche_trends', '{}', :parameters, now() + interval '1 day')",
        parameters='{"period": "90d", "granularity": "daily"}',
    )
    run(migrated)
    assert sql("SELECT vector FROM analytics.ml_features WHERE niche_id = 1") == [([0.125],)]
    assert sql("SELECT count(*) FROM analytics.cross_platform_metrics WHERE niche_id = 1") == [(1,)]
    assert sql("SELECT trend_vector, analytics_version FROM features WHERE niche_id = 1") == [([], 2)]
    assert sql("SELECT trend_data FROM analytics.trend_cache WHERE niche_id = 2") == [({},)]
    assert all(proof.holds for proof in verify(migrated))


def test_a_second_run_changes_nothing_and_new_niches_are_taken_up(
    migrated: Engine, sql: Sql, history_file: Path
) -> None:
    load_file(migrated, history_file)
    run(migrated)
    assert run(migrated).read == 0
    sql("INSERT INTO features (phrase, demand_score) VALUES ('late', 0.5)")
    assert run(migrated).written > 0
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_type = 'niche_scored'") == [(251,)]
    assert all(proof.holds for proof in verify(migrated))


def test_another_now_computes_the_trends_anew(migrated: Engine, sql: Sql, history_file: Path) -> None:
    load_file(migrated, history_file)
    run(migrated)
    run(migrated, as_of=AS_OF + timedelta(days=10))
    assert sql("SELECT DISTINCT trend_vector -> 89 ->> 0 FROM features") == [("2025-06-10",)]
    assert begin(migrated, None).as_of == AS_OF + timedelta(days=10)


def test_readers_of_a_materialized_view_do_not_wait_for_its_refresh(
    clone: Clone, connect: Callable[[URL], Engine]
) -> None:
    engine = connect(clone("migrated_matview"))
    begin(engine)
    everything = Range(range_id=0, lower="0", upper="1", rows_refused=0, planned=1)
    with engine.connect() as reader, engine.begin() as refreshing:
        reader.execute(text("SELECT count(*) FROM hot_niches_today"))
        refreshing.execute(text("SET LOCAL lock_timeout = '50ms'"))
        assert HOT_NICHES.batch(refreshing, everything, AS_OF, 10).over
