"""Killed at any moment, an expiry is gone on with by the next run: nothing is lost that was to be exported."""

import os
import resource
import signal
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from alembic.util import CommandError

from operations.maintenance import Outcome
from operations.retention import due
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.ended import counted, once
from tests.operations.retention.conftest import A_MONTH, ACTIVITY, NAMES, Aged, exported
from tests.operations.verify.conftest import look, verdicts

EVERY = 13
"""Statements further that each run comes than the one before."""


def killed(work: Callable[[], object], act: Callable[[int, str], None]) -> bool:
    """Do it in a process that is killed by `act`; whether it was."""
    child = os.fork()
    if not child:
        try:
            counted(work, act)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("archive", [True, False], ids=["exported", "dropped"])
def test_killed_again_and_again(aged: Aged, tmp_path: Path, archive: bool) -> None:
    activity = aged.rows(ACTIVITY)
    aged.keep(**dict.fromkeys(NAMES, 12))
    directory = tmp_path if archive else None
    at = EVERY
    while killed(lambda: aged.maintain(directory), lambda number, _, at=at: kill() if number == at else None):
        at += EVERY
    assert at >= 3 * EVERY
    assert {task.outcome for task in aged.maintain(directory).values()} == {Outcome.DONE}
    assert aged.count("analytics.analytics_events") == 13 * A_MONTH
    assert aged.count("analytics.insight_registry") == 13
    assert aged.rows(ACTIVITY) == activity
    assert aged.rows("SELECT relation FROM sidb.expiry WHERE finished_at IS NULL") == []
    assert aged.rows("SELECT relname FROM pg_class WHERE relname LIKE '%_expired_%'") == []
    if archive:
        assert len(exported(tmp_path, "analytics_events")) == 18 * A_MONTH
        assert len(exported(tmp_path, "insight_registry")) == 7


@pytest.mark.parametrize(
    "at",
    [
        "SET file",
        r"DROP TABLE.*analytics_events_expired",
        r"DROP TABLE.*analytics_events_20\d\d_\d\d",
    ],
    ids=["exported", "dropping rows", "dropping a month"],
)
def test_a_month_set_aside_is_told_and_finished(aged: Aged, tmp_path: Path, at: str) -> None:
    """Also by a run to which nobody says again that it is to be exported."""
    aged.keep(analytics_events=24)
    assert killed(lambda: aged.maintain(tmp_path), once(at, kill))
    [[aside]] = [each.aside for each in due.due_of(aged.url) if each.aside]
    rows = aged.count(f"analytics_partitions.{aside}")
    task = aged.maintain()["analytics_events"]
    assert task.outcome is Outcome.DONE
    assert len(exported(tmp_path, aside)) == rows
    assert not list(tmp_path.glob(f"{aged.past[-1]}*"))
    assert [each.aside for each in due.due_of(aged.url) if each.aside] == []


def test_what_was_written_behind_the_export_is_not_dropped(aged: Aged, tmp_path: Path) -> None:
    aged.keep(insight_registry=12)
    assert killed(lambda: aged.maintain(tmp_path), once("DROP TABLE", kill))
    [[aside]] = [each.aside for each in due.due_of(aged.url) if each.aside]
    name = f"analytics_partitions.{aside}"
    aged.rows(f"INSERT INTO {name} SELECT * FROM {name} LIMIT 1")  # noqa: S608
    task = aged.maintain(tmp_path)["insight_registry"]
    assert task.outcome is Outcome.POSTPONED
    assert f"{name} holds 8 rows, of which 7 were exported" in task.detail
    aged.rows("UPDATE sidb.expiry SET sha256 = NULL WHERE aside IS NOT NULL")
    assert aged.maintain(tmp_path)["insight_registry"].outcome is Outcome.DONE
    assert len(exported(tmp_path, aside)) == 8


def test_a_period_made_longer_keeps_what_an_interrupted_run_has_left(aged: Aged, tmp_path: Path) -> None:
    """Neither rows that are still in their table go, nor a month that is set aside and to be kept by now."""
    aged.keep(analytics_events=12, insight_registry=12)
    assert killed(lambda: aged.maintain(tmp_path), once(r"DROP TABLE.*analytics_events_20\d\d_\d\d", kill))
    aged.keep(analytics_events=36, insight_registry=36)
    [[aside]] = [each.aside for each in due.due_of(aged.url) if each.aside]
    events = aged.count("analytics.analytics_events")
    tasks = aged.maintain()
    assert tasks["analytics_events"].outcome is Outcome.POSTPONED
    assert f"{aside} holds rows to be kept by now" in tasks["analytics_events"].detail
    assert tasks["insight_registry"].amount == 0
    assert aged.count("analytics.analytics_events") == events
    assert aged.count(f"analytics_partitions.{aside}") == A_MONTH
    aged.keep(analytics_events=12)
    assert aged.maintain()["analytics_events"].outcome is Outcome.DONE
    assert aged.count("analytics.analytics_events") == 13 * A_MONTH
    assert aged.rows("SELECT FROM pg_class WHERE relname = %s", [aside]) == []
    assert len(exported(tmp_path, aside)) == A_MONTH


def test_the_first_instant_of_a_longer_period_is_kept_too(aged: Aged) -> None:
    """A month set aside holds nothing else of the period by now: it stays all the same."""
    aged.keep(analytics_events=24)
    assert killed(aged.maintain, once(r"DROP TABLE.*analytics_events_20\d\d_\d\d", kill))
    aged.rows(
        f"DELETE FROM analytics_partitions.{aged.past[0]} WHERE event_timestamp >"  # noqa: S608
        " (date_trunc('month', now() AT TIME ZONE 'UTC') - interval '27 months') AT TIME ZONE 'UTC'"
    )
    aged.keep(analytics_events=27)
    task = aged.maintain()["analytics_events"]
    assert task.outcome is Outcome.POSTPONED
    assert f"{aged.past[0]} holds rows to be kept by now" in task.detail
    assert aged.count(f"analytics_partitions.{aged.past[0]}") == 3


def test_a_month_set_aside_is_dropped_while_others_read_what_it_referred_to(aged: Aged) -> None:
    """Its foreign keys went with the detaching: dropping it asks for no lock on Phase 1's table."""
    aged.keep(analytics_events=24)
    assert killed(aged.maintain, once(r"DROP TABLE.*analytics_events_20\d\d_\d\d", kill))
    with psycopg.connect(conninfo(aged.url)) as reader:
        reader.execute("SELECT FROM public.features LIMIT 1")
        task = aged.maintain()["analytics_events"]
    assert task.outcome is Outcome.POSTPONED, "the next month cannot be detached"
    assert aged.rows("SELECT FROM pg_class WHERE relname = %s", [aged.past[0]]) == []
    assert aged.count(f"analytics_partitions.{aged.past[1]}") == A_MONTH


def test_a_month_that_somebody_attached_again_is_one_like_any_other(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    bound = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = %s"
    bounds = {name: aged.rows(bound, [name])[0][0] for name in aged.past}
    assert killed(aged.maintain, once(r"DROP TABLE.*analytics_events_20\d\d_\d\d", kill))
    [[aside]] = [each.aside for each in due.due_of(aged.url) if each.aside]
    aged.rows(f"ALTER TABLE analytics.analytics_events ATTACH PARTITION analytics_partitions.{aside} {bounds[aside]}")
    assert [each.aside for each in due.due_of(aged.url) if each.aside] == []
    aged.keep(analytics_events=36)
    task = aged.maintain()["analytics_events"]
    assert (task.outcome, task.detail) == (Outcome.DONE, "nothing was older")
    assert aged.count(f"analytics_partitions.{aside}") == A_MONTH
    assert aged.rows("SELECT FROM sidb.expiry WHERE aside IS NOT NULL AND finished_at IS NULL") == []


def test_what_is_set_aside_is_told_from_what_is_wrong(aged: Aged, tmp_path: Path) -> None:
    aged.keep(analytics_events=24)
    assert killed(lambda: aged.maintain(tmp_path), once(r"DROP TABLE.*analytics_events_20\d\d_\d\d", kill))
    found = look(aged.url)
    assert "catalog" not in verdicts(found, "failed")
    assert (
        f"retention has set aside is what the models say: analytics_partitions.{aged.past[0]}"
        in (verdicts(found, "warning")["catalog"])
    )
    Alembic(aged.url).check()
    aged.rows("CREATE TABLE analytics_partitions.theirs (a int)")
    with pytest.raises(CommandError, match=r"theirs"):
        Alembic(aged.url).check()
    assert "analytics_partitions.theirs" in verdicts(look(aged.url), "failed")["catalog"]


def test_what_is_set_aside_is_told_where_retention_is_off_again(aged: Aged) -> None:
    aged.keep(analytics_events=24)
    assert killed(aged.maintain, once(r"DROP TABLE.*analytics_events_20\d\d_\d\d", kill))
    aged.keep(analytics_events=None)
    [said] = [line for line in due.lines(due.due_of(aged.url)) if line.startswith("analytics_events: off")]
    assert said.endswith(f"still there: {aged.past[0]}")
    assert aged.maintain() == {}


def test_a_disk_that_is_full_leaves_nothing_half_written(aged: Aged, tmp_path: Path) -> None:
    aged.keep(insight_registry=12)
    child = os.fork()
    if not child:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
        left = False
        try:
            left = "was not exported" in aged.maintain(tmp_path)["insight_registry"].detail
        finally:
            os._exit(0 if left else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert list(tmp_path.iterdir()) == []
    aged.maintain(tmp_path)
    assert len(exported(tmp_path, "insight_registry")) == 7
