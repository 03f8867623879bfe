"""The screen for the hour of the rollout: who is at work, who waits for whom, what went wrong last."""

import io
import os
import signal
import threading

import psycopg
from rich.console import Console
from sqlalchemy import URL

from operations.status.watching import watch
from tests.engine.conftest import until
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.revisions import HEAD, REVISIONS
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


def wait(waiter: psycopg.Connection[tuple[object, ...]]) -> None:
    waiter.execute("UPDATE public.features SET demand_score = 0.5 WHERE niche_id = 1")
    waiter.rollback()
