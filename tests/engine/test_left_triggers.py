"""A trigger that follows columns and is left: by a killed run, or where its table is busy at the end of one."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psycopg
import pytest
from alembic_online import OnlineError, following
from alembic_online.errors import Stopped
from sqlalchemy import Engine

from tests.engine.conftest import connected, until
from tests.engine.test_data_loss import HEAD, NEXT, ORDERS, ROW, ByHand, left_over, run, sql
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.ended import counted, once
from tests.fixtures.logs import when_told

DROP = sql("ALTER TABLE public.orders DROP COLUMN plain")
PLAIN = 'drops = {"upgrade": ["public.orders.plain"]}\n'


@pytest.fixture
def by_hand(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ByHand:
    """On a migrated database that has a table of orders."""
    monkeypatch.setattr(following, "CLEARING", 0.5, raising=False)
    revision = ByHand(clone("migrated_table"), tmp_path / "versions", x=("deadline=2s",))
    run(revision.url, ORDERS, ROW)
    return revision


@pytest.fixture
def left(by_hand: ByHand, connect: Callable[..., Engine]) -> ByHand:
    """A run was killed when it was about to lock the table."""
    by_hand.write(DROP, more=PLAIN)
    sys.stdout.flush()
    child = os.fork()
    if not child:
        try:
            counted(
                by_hand.upgrade, once("LOCK TABLE .*ACCESS EXCLUSIVE", partial(os.kill, os.getpid(), signal.SIGKILL))
            )
        finally:
            os._exit(1)
    os.waitpid(child, 0)
    observer = connect(by_hand.url)
    until(lambda: not connected(by_hand.url, observer, "sidb migrate"), "its sessions end")
    assert left_over(by_hand.url) == [("orders",)]
    return by_hand


@pytest.mark.parametrize("more", [PLAIN, ""], ids=["declared", "not declared"])
@pytest.mark.parametrize("x", [("discard-data=yes",), ()], ids=["discarding", "refusing"])
def test_the_column_goes_in_the_next_run(left: ByHand, x: tuple[str, ...], more: str) -> None:
    ByHand(left.url, left.directory, x=("deadline=10s", *x)).write(DROP, more=more).upgrade()
    assert run(left.url, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert left_over(left.url) == []


def test_it_goes_with_its_table_busy_at_the_beginning(left: ByHand) -> None:
    """The step waits for its table anyhow, and takes it off there."""
    with psycopg.connect(conninfo(left.url)) as reader:
        reader.execute("SELECT FROM orders")
        discarding = ByHand(left.url, left.directory, x=("deadline=10s", "discard-data=yes"))
        with when_told(f"{NEXT} upgrade: blocked by", reader.commit):
            discarding.upgrade()
    assert left_over(left.url) == []


def test_a_run_that_has_no_use_for_a_busy_table_succeeds(left: ByHand, caplog: pytest.LogCaptureFixture) -> None:
    left.write("pass")
    with psycopg.connect(conninfo(left.url)) as reader, caplog.at_level(logging.WARNING, "alembic.online"):
        reader.execute("SELECT FROM orders")
        left.upgrade()
    assert run(left.url, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert (
        "Trigger alembic_online_following stays on public.orders for now, and the next run takes it off: "
        in caplog.text
    )
    left.upgrade()
    assert left_over(left.url) == []


def test_what_failed_is_what_is_said(by_hand: ByHand) -> None:
    by_hand.write(DROP, more=PLAIN)
    with psycopg.connect(conninfo(by_hand.url)) as reader:
        reader.execute("SELECT FROM orders")
        with pytest.raises(OnlineError, match=f"^{NEXT} upgrade: could not acquire its locks within 2 s"):
            by_hand.upgrade()
    by_hand.upgrade()
    assert left_over(by_hand.url) == []


def test_an_interrupted_run_ends_at_once(by_hand: ByHand) -> None:
    by_hand.write(DROP, more=PLAIN)
    waiting = ByHand(by_hand.url, by_hand.directory, x=("deadline=30s",))
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        signal.raise_signal(signal.SIGINT)

    with psycopg.connect(conninfo(by_hand.url)) as reader:
        reader.execute("SELECT FROM orders")
        with when_told(f"{NEXT} upgrade: blocked by", press), pytest.raises(Stopped, match=r"^Interrupted\."):
            waiting.upgrade()
    assert time.monotonic() - pressed[0] < 15
    assert run(by_hand.url, "SELECT version_num FROM alembic_version") == [(HEAD,)]
