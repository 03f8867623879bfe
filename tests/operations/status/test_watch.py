"""The screen for the hour of the rollout: who is at work, who waits for whom, what went wrong last."""

import io
import os
import signal
import threading

import psycopg
from rich.console import Console
from sqlalchemy import URL

from operations.status.half_way import rows
from operations.status.watching import watch
from tests.engine.conftest import until
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD, REVISIONS
from tests.fixtures.roles import Login
from tests.operations.verify.conftest import plant


def screens(url: URL) -> str:
    """Two screens of 80 columns, printed one below the other as into a pipe."""
    written = io.StringIO()

    def end() -> None:
        until(lambda: written.getvalue().count("load ") == 2, "two screens")
        os.kill(os.getpid(), signal.SIGINT)

    ending = threading.Thread(target=end)
    ending.start()
    watch(url, 1, Console(file=written, width=80))
    ending.join()
    return written.getvalue()


def test_a_quiet_database(clone: Clone) -> None:
    shown = screens(clone("migrated_table"))
    assert "step      none is at work" in shown
    assert "nobody waits for a lock" in shown
    assert "transactions a second" in shown
    assert max(map(len, shown.splitlines())) <= 80


OUTCOME = "UPDATE sidb.step SET outcome = '{}', message = '{}' WHERE revision = '{}'"


def test_who_waits_for_whom(clone: Clone) -> None:
    url = clone("migrated_table")
    plant(url, OUTCOME.format("running", "no lock", HEAD))
    plant(url, OUTCOME.format("failed", "no space", REVISIONS[-2]))
    with psycopg.connect(conninfo(url)) as holder, psycopg.connect(conninfo(url), application_name="scorer") as waiter:
        held_by, waits = holder.info.backend_pid, waiter.info.backend_pid
        holder.execute("LOCK TABLE public.features")
        waiting = threading.Thread(target=wait, args=(waiter,))
        waiting.start()
        asked = "SELECT FROM pg_locks WHERE NOT granted AND pid = %s"
        until(lambda: holder.execute(asked, [waits]).fetchone() is not None, "it waits")
        shown = screens(url)
        holder.rollback()
        waiting.join()
    [line] = {line.split()[1] for line in shown.splitlines() if line.startswith(str(waits))}
    assert line == "scorer"
    assert str(held_by) in shown
    assert "RowExclusive" in shown
    assert f"step      {HEAD} upgrade, for " in shown
    assert f"{REVISIONS[-2]} upgrade failed: no space" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_who_waits_in_another_database_is_not_shown(clone: Clone, url: URL) -> None:
    other = conninfo(clone("migrated_table"))
    with psycopg.connect(other) as holder, psycopg.connect(other) as waiter, psycopg.connect(conninfo(url)) as ours:
        holder.execute("LOCK TABLE public.features")
        waiting = threading.Thread(target=wait, args=(waiter,))
        waiting.start()
        asked = "SELECT FROM pg_locks WHERE NOT granted AND pid = %s"
        until(lambda: holder.execute(asked, [waiter.info.backend_pid]).fetchone() is not None, "it waits")
        blocked = rows(ours, "blocked")
        holder.rollback()
        waiting.join()
    assert blocked == []


def test_the_last_of_what_went_wrong_is_told_first(url: URL) -> None:
    plant(url, "UPDATE sidb.step SET outcome = 'failed', message = revision")
    with psycopg.connect(conninfo(url)) as ours:
        told = [each.line for each in rows(ours, "told")]
    assert told == [f"{each} upgrade failed: {each}" for each in REVISIONS[:-4:-1]]


def test_a_session_of_which_this_role_may_not_see_the_state_is_shown(login: Login) -> None:
    role = login("analytics_reader")
    with psycopg.connect(conninfo(administrator(role)), application_name="sidb upgrade") as other:
        other.execute("SELECT 1")
        with psycopg.connect(conninfo(role)) as ours:
            seen = {each.pid: each.state for each in rows(ours, "sessions")}
        assert seen[other.info.backend_pid] == "hidden"


def wait(waiter: psycopg.Connection[tuple[object, ...]]) -> None:
    waiter.execute("UPDATE public.features SET demand_score = 0.5 WHERE niche_id = 1")
    waiter.rollback()
