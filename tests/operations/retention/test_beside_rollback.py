"""No rows are let go beside a rollback or a restore: whoever comes second is told who is at it, and closes nothing."""

import io
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from threading import Event
from typing import Any

import psycopg
import pytest
from alembic_online import Options
from alembic_online.errors import OnlineError
from rich.console import Console

from operations import maintenance
from operations.maintenance import Outcome
from operations.retention import one_at_a_time
from operations.rollback import rollback
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.ended import counted, once, stopped
from tests.operations.retention.conftest import A_MONTH, PARTITIONS, Aged
from tests.operations.retention.test_killed import kill, killed
from tests.operations.rollback.conftest import abort, begun, bring_back, roll_back

LOOKS_FOR_MONTHS = "hold days before the horizon"
DROPS_A_MONTH = r"DROP TABLE.*analytics_events_20\d\d_\d\d"
HOLDS_THE_LOCK = r"pg_try_advisory_lock\(hashtextextended\('sidb retention'"
LAST_OF_ABORT = r"i\.indexrelid = to_regclass"
CLOSES = r"SQL\('REVOKE ALL ON '\)"
LIMIT = 60
AT_WORK = r"`sidb maintain` is at work \(pid \d+, .*, .+\); nothing was changed"


@contextmanager
def paused(work: Callable[[], Any], at: str) -> Iterator[Callable[[], Any]]:
    """Work of another thread, on sessions of its own, that waits before a statement; gives what lets it go on."""
    there, goes_on = Event(), Event()

    def wait() -> None:
        there.set()
        goes_on.wait(LIMIT)

    found: list[Any] = []
    with ThreadPoolExecutor(1) as pool:
        doing = pool.submit(counted, lambda: found.append(work()), once(at, wait))
        doing.add_done_callback(lambda _: there.set())
        assert there.wait(LIMIT)

        def go_on() -> Any:
            goes_on.set()
            doing.result(LIMIT)
            return found[0]

        try:
            yield go_on
        finally:
            goes_on.set()


def phases(aged: Aged) -> list[str]:
    if aged.rows("SELECT FROM pg_class WHERE oid = to_regclass('sidb.rollback')"):
        return [phase for (phase,) in aged.rows("SELECT phase FROM sidb.rollback")]
    return []


@pytest.mark.parametrize("at", [LOOKS_FOR_MONTHS, DROPS_A_MONTH], ids=["before a month", "a month set aside"])
def test_a_rollback_names_the_session_that_lets_rows_go(aged: Aged, at: str) -> None:
    aged.keep(analytics_events=24)
    with paused(aged.maintain, at) as go_on:
        with pytest.raises(OnlineError, match=AT_WORK) as refused:
            roll_back(aged.url, "2.0.7")
        assert "pg_terminate_backend" in refused.value.next_step
        assert phases(aged) == []
        assert go_on()["analytics_events"].outcome is Outcome.DONE
    assert roll_back(aged.url, "2.0.7").exit_code == 0


def test_one_that_has_looked_before_does_not_begin(aged: Aged) -> None:
    prepared = rollback.prepare(aged.url, "2.0.7")
    aged.keep(analytics_events=24)
    run = partial(rollback.run, aged.url, prepared, Options(deadline=30))
    with paused(aged.maintain, LOOKS_FOR_MONTHS) as go_on:
        with pytest.raises(OnlineError, match=AT_WORK):
            run(Console(file=io.StringIO()))
        go_on()
    assert phases(aged) == []
    assert run(Console(file=io.StringIO())).exit_code == 0


def test_nor_where_a_month_was_taken_out_meanwhile(aged: Aged) -> None:
    """By one that was killed: no step begins that would stop at it with applications shut out."""
    prepared = rollback.prepare(aged.url, "2.0.7")
    aged.keep(analytics_events=24)
    assert killed(aged.maintain, once(DROPS_A_MONTH, kill))
    with pytest.raises(OnlineError, match=rf"{aged.past[0]} was taken out of analytics.analytics_events just now"):
        rollback.run(aged.url, prepared, Options(deadline=30), Console(file=io.StringIO()))
    assert phases(aged) == []


def test_no_month_goes_while_a_rollback_is_half_way(aged: Aged) -> None:
    """One that was interrupted since the run has begun."""
    aged.keep(analytics_events=24)
    months = aged.rows(PARTITIONS)
    with paused(aged.maintain, HOLDS_THE_LOCK) as go_on:
        stopped(lambda: roll_back(aged.url, "2.0.7"), CLOSES)
        task = go_on()["analytics_events"]
    assert task.outcome is Outcome.POSTPONED
    assert task.detail.startswith(f"held back: {begun(aged.url)} was interrupted")
    assert aged.rows(PARTITIONS) == months
    assert aged.count("analytics.analytics_events") == 31 * A_MONTH
    assert roll_back(aged.url, None).exit_code == 0


def test_whoever_maintains_beside_a_rollback_is_told(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    with paused(lambda: roll_back(aged.url, "2.0.7"), CLOSES) as go_on:
        tasks = maintenance.run(aged.url, Options(deadline=2)).tasks
        assert {task.outcome for task in tasks} == {Outcome.POSTPONED}, tasks
        assert all(f"{begun(aged.url)} is at work (pid " in task.detail for task in tasks), tasks
        assert go_on().exit_code == 0


def test_a_restore_names_the_session_that_lets_rows_go(aged: Aged) -> None:
    roll_back(aged.url, "2.0.7")
    Alembic(aged.url).upgrade()
    aged.keep(analytics_events=24)
    with paused(aged.maintain, LOOKS_FOR_MONTHS) as go_on:
        with pytest.raises(OnlineError, match=AT_WORK):
            bring_back(aged.url)
        go_on()
    assert bring_back(aged.url).exit_code == 0


def test_no_month_goes_while_a_rollback_is_given_up(aged: Aged) -> None:
    """Access is open again, and what was put aside is still to be given back."""
    aged.keep(analytics_events=24)
    stopped(lambda: roll_back(aged.url, "2.0.7"), CLOSES)
    with paused(lambda: abort(aged.url), LAST_OF_ABORT) as go_on:
        assert phases(aged) == ["aborted"]
        task = aged.maintain()["analytics_events"]
        assert (task.outcome, task.detail) == (Outcome.POSTPONED, "another sidb maintain or rollback is at it")
        assert go_on().exit_code == 0
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE


def test_a_rollback_is_not_given_up_while_rows_are_let_go(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    stopped(lambda: roll_back(aged.url, "2.0.7"), CLOSES)
    with psycopg.connect(conninfo(aged.url)) as other:
        other.execute(f"SELECT pg_advisory_lock({one_at_a_time.KEY})".encode())
        with pytest.raises(OnlineError, match=AT_WORK):
            abort(aged.url)
    assert phases(aged) == ["paused"]
    assert abort(aged.url).exit_code == 0
