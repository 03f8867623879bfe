"""The runner: rows that fail, pauses, the window, the daily share, rests."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from threading import Event, Thread
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from backfill import job_status, planning
from backfill.batch_size import BatchSize
from backfill.errors import BackfillError
from backfill.jobs import JOBS
from backfill.pacing import BatchThrottle, Trouble
from backfill.progress import Scope
from backfill.runner import Runner
from backfill.windows import Window
from tests.backfill.conftest import (
    AS_OF,
    EVENT,
    Sql,
    Well,
    begin,
    day_begins_now,
    history,
    load_file,
    run,
    slowly,
    verify,
    worker,
    write_csv,
)


def test_rows_that_fail_are_set_aside_and_the_rest_goes_on(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(1_000, days=3)))
    sql("INSERT INTO features (phrase) VALUES ('doomed')")
    load_file(migrated, write_csv(tmp_path / "b.csv", [(*EVENT, "", "doomed")] * 2))
    sql("DELETE FROM features WHERE phrase = 'doomed'")
    sql("UPDATE features SET demand_score = 5 WHERE niche_id = 77")

    summary = run(migrated)
    assert summary.refused == 3
    aside = sql("SELECT job, count(*), min(error) FROM sidb.backfill_set_aside GROUP BY job ORDER BY job")
    assert [(job, rows) for job, rows, _ in aside] == [("event_history", 2), ("niche_scores", 1)]
    assert "violates foreign key" in aside[0][2]
    assert "violates check" in aside[1][2]
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_type <> 'niche_scored'") == [(1_000,)]
    assert [proof.set_aside for proof in verify(migrated)] == [2, 1, 0, 0]
    assert not verify(migrated)[0].holds

    sql("UPDATE features SET demand_score = 0.5 WHERE niche_id = 77")
    sql("UPDATE sidb.backfill_events SET niche_id = 1 WHERE niche_id NOT IN (SELECT niche_id FROM features)")
    with migrated.begin() as connection:
        assert planning.retry(connection, JOBS) == 3
    assert run(migrated).refused == 0
    assert [proof for proof in verify(migrated) if not proof.holds] == []


def test_a_row_at_a_bound_belongs_to_one_range(migrated: Engine, sql: Sql) -> None:
    sql("UPDATE features SET niche_id = 10000, updated_at = '2020-01-01' WHERE niche_id = 200")  # of another age: cut
    run(migrated)
    of_scores = "FROM sidb.backfill_ranges WHERE job = 'niche_scores'"
    assert sql(f"SELECT lower, upper, rows_read {of_scores} ORDER BY range_id") == [
        ("0", "10000", 199),
        ("10000", "20000", 1),
    ]
    assert [proof.rows for proof in verify(migrated) if proof.job == "niche_scores"] == [200]


def test_five_failures_in_a_row_stop_the_job_until_retry(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(200)))
    sql("ALTER TABLE analytics.analytics_events ADD CONSTRAINT never CHECK (event_type = 'never') NOT VALID")
    with pytest.raises(BackfillError, match=r"event_history was stopped after 5 failures in a row.*never"):
        run(migrated)
    assert sql("SELECT count(*) FROM sidb.backfill_set_aside") == [(5,)]
    with pytest.raises(BackfillError, match="was stopped"):
        run(migrated)
    sql("ALTER TABLE analytics.analytics_events DROP CONSTRAINT never")
    with migrated.begin() as connection:
        planning.retry(connection, JOBS)
    run(migrated)
    assert all(proof.holds for proof in verify(migrated))


def test_four_failures_between_two_batches_that_work_stop_nothing(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    kinds = ["bad"] * 4 + ["good"] + ["bad"] * 4 + ["good"]
    rows = [(kind, "web", f"2025-05-{20 - day}T00:00Z", "{}", "", "1", "") for day, kind in enumerate(kinds)]
    load_file(migrated, write_csv(tmp_path / "a.csv", rows))
    sql("ALTER TABLE analytics.analytics_events ADD CONSTRAINT good CHECK (event_type <> 'bad') NOT VALID")
    done = run(migrated, jobs=JOBS[:1], pace=BatchSize(most=1))
    assert (done.ended, done.refused, done.written) == ("done", 8, 2)


def test_what_a_unique_index_of_others_refuses_is_set_aside(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    first = "analytics_partitions.analytics_events_first"
    sql(f"CREATE UNIQUE INDEX once_a_user ON {first} (user_id) WHERE event_type = 'view'")
    rows = [("view", "web", "2025-05-01T00:00Z", "{}", user, "1", "") for user in ("a", "b", "b")]
    load_file(migrated, write_csv(tmp_path / "a.csv", rows))
    assert run(migrated).refused == 1
    [(error,)] = sql("SELECT error FROM sidb.backfill_set_aside")
    assert 'violates unique constraint "once_a_user"' in error
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_type = 'view'") == [(2,)]
    assert not verify(migrated)[0].holds


class Ill:
    """Something speaks against going on, for so many questions."""

    def __init__(self, times: int) -> None:
        self.times = times

    def trouble(self, _connection: object, tables: list[str]) -> Trouble | None:
        self.times -= 1
        return Trouble("replica_lag", f"replica is behind {tables[0]}") if self.times >= 0 else None

    def share(self, _connection: object) -> float:
        return 1.0


def test_trouble_pauses_and_is_recorded(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(100)))
    begin(migrated)
    held: list[str] = []
    runner = Runner(migrated, BatchThrottle(Ill(3), None, again=0.01), held=lambda trouble: held.append(trouble.detail))
    assert runner.run(Scope(AS_OF)).ended == "done"
    assert held == ["replica is behind analytics.analytics_events"]
    assert sql("SELECT job, reason, detail, ended_at >= started_at FROM sidb.backfill_pauses") == [
        ("event_history", "replica_lag", "replica is behind analytics.analytics_events", True)
    ]


def test_pause_holds_every_worker_until_resume(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(300)))
    begin(migrated)
    sql("INSERT INTO sidb.backfill_pause_orders DEFAULT VALUES")
    held = Event()
    runner = worker(migrated, held=lambda _: held.set())
    thread = Thread(target=runner.run, args=(Scope(AS_OF),))
    thread.start()
    assert held.wait(30)
    assert sql("SELECT count(*) FROM analytics.analytics_events") == [(0,)]
    sql("DELETE FROM sidb.backfill_pause_orders")
    thread.join(60)
    assert sql("SELECT count(*) > 300 FROM analytics.analytics_events") == [(True,)]


def test_a_closed_window_ends_the_daily_share_and_holds_a_run(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(100)))
    begin(migrated)
    soon = (datetime.now(UTC) + timedelta(hours=2)).time().replace(microsecond=0)
    later = (datetime.now(UTC) + timedelta(hours=3)).time().replace(microsecond=0)
    closed = Window(soon, later, ZoneInfo("UTC"))
    daily = Runner(migrated, BatchThrottle(Well(), closed), wait_for_window=False)
    assert daily.run(Scope(AS_OF), share=10).ended == "window"
    stop = Event()
    waiting = Runner(migrated, BatchThrottle(Well(), closed), stop=stop, held=lambda _: stop.set())
    assert waiting.run(Scope(AS_OF)).ended == "asked"
    assert sql("SELECT reason FROM sidb.backfill_pauses") == [("window",)]


def test_stopping_finishes_the_present_batch(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(300)))
    begin(migrated)
    runner = worker(migrated, pace=slowly(), report=lambda *_: runner.stop.set())
    summary = runner.run(Scope(AS_OF))
    assert summary.ended == "asked"
    assert sql("SELECT count(*) FROM analytics.analytics_events") == [(summary.written,)]
    assert 0 < summary.written <= 50


def test_the_recent_90_days_come_first_and_newest_first(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(600, days=200)))
    begin(migrated)
    worker(migrated, pace=slowly()).run(Scope(AS_OF, recent=True), share=100)
    newest = "SELECT min(event_timestamp) FROM analytics.analytics_events"
    untouched = (
        "SELECT max(s.event_timestamp) FROM sidb.backfill_events AS s "
        "WHERE NOT EXISTS (SELECT FROM analytics.analytics_events AS e WHERE e.event_id = s.event_id)"
    )
    [(moved,)], [(left,)] = sql(newest), sql(untouched)
    assert left.date() <= moved.date()
    worker(migrated).run(Scope(AS_OF, recent=True))
    [(oldest,)] = sql("SELECT min(event_timestamp) FROM analytics.analytics_events WHERE event_type <> 'niche_scored'")
    assert AS_OF - timedelta(days=91) <= oldest <= AS_OF - timedelta(days=88)
    assert sql(
        "SELECT count(*) FROM features WHERE analytics_version = 1 AND updated_at > now() - interval '1 day'"
    ) != [(0,)]


def test_the_share_of_a_day_leads_to_the_deadline(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(1_400, days=300)))
    control = begin(migrated)
    always = Window(time(0), time(0), ZoneInfo("UTC"))
    worker(migrated).run(Scope(AS_OF, recent=True))
    shares = []
    for day in range(7):
        with migrated.connect() as connection:
            # Each day begins after all that was done so far.
            now = control.started_at + timedelta(days=day, seconds=1)
            share = job_status.share(connection, JOBS, control, day_begins_now(always), now)
        shares.append(share)
        worker(migrated, pace=BatchSize(most=20)).run(Scope(AS_OF, recent=False), share=share.rows)
    assert [share.days_left for share in shares] == [7, 6, 5, 4, 3, 2, 1]
    assert shares[0].rows == -(-shares[0].left // 7)
    assert all(share.late is None for share in shares)
    with migrated.connect() as connection:
        assert sum(each.left for each in job_status.jobs_status(connection, JOBS)) == 0


def test_a_deadline_that_cannot_be_met_is_told_the_first_day(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(400, days=300)))
    control = begin(migrated, days=2)
    worker(migrated).run(Scope(AS_OF, recent=True))
    sql("UPDATE sidb.backfill_ranges SET seconds = 86400 WHERE done_at IS NOT NULL AND job = 'event_history'")
    with migrated.connect() as connection:
        narrow = Window(time(0), time(1), ZoneInfo("UTC"))
        share = job_status.share(connection, JOBS, control, narrow, control.started_at)
    assert share.late is not None
    assert share.late > timedelta(days=1)


class Beside(Well):
    """The application is at work all the while."""

    def __init__(self, share: float) -> None:
        self.part = share

    def share(self, _connection: object) -> float:
        return self.part


def test_a_worker_rests_for_the_application(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(300)))
    begin(migrated)
    assert Runner(migrated, BatchThrottle(Beside(0.5), None)).run(Scope(AS_OF)).ended == "done"
    assert sql("SELECT count(*) > 0, bool_and(rested > 0 AND rested = seconds) FROM sidb.backfill_ranges") == [
        (True, True)
    ]
    with migrated.connect() as connection:
        statuses = job_status.jobs_status(connection, JOBS)
    assert {status.rested for status in statuses} == {0.5}


class Noted(Event):
    """Says for how long somebody wanted to wait, and lets nobody wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.waits.append(timeout or 0)
        return super().wait(0)


def test_after_each_batch_it_waits_for_the_rest_of_it(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(300)))
    begin(migrated)
    stop, rests = Noted(), list[float]()
    runner = Runner(
        migrated, BatchThrottle(Beside(0.01), None), stop=stop, report=lambda _, batch: rests.append(batch.rest)
    )
    assert runner.run(Scope(AS_OF)).ended == "done"
    assert len(rests) == len(JOBS)
    assert stop.waits == rests
    assert min(rests) > 0


def test_a_share_ends_with_the_batch_that_reaches_it(migrated: Engine, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(300)))
    begin(migrated)
    for share, read in ((50, 50), (51, 100), (0, 0), (1, 50)):
        summary = worker(migrated, pace=slowly()).run(Scope(AS_OF), share=share)
        assert (summary.ended, summary.read) == ("enough", read)


def test_a_rest_ends_when_the_worker_is_asked_to_stop(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    load_file(migrated, write_csv(tmp_path / "a.csv", history(300)))
    begin(migrated)
    stop = Event()
    runner = Runner(migrated, BatchThrottle(Beside(1e-9), None), stop=stop, report=lambda *_: stop.set())
    assert runner.run(Scope(AS_OF)).ended == "asked"
    assert sql("SELECT count(*) FROM sidb.backfill_ranges WHERE rested > 1e6") == [(1,)]
