"""Beside writers: what they write for who is erased meanwhile is found and told of, and counts stay exact."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from alembic_online import Options
from rich.console import Console
from sqlalchemy import URL, Connection, Engine

from backfill import erased
from operations.erasure import erase as erasing
from tests.backfill.conftest import load_file, write_csv
from tests.engine.conftest import until
from tests.fixtures.databases import conninfo
from tests.fixtures.ended import counted, once
from tests.fixtures.lived_in import administrator
from tests.operations.erasure.conftest import ANN, ANNA, EVENTS, erase, fill, history, of, resume, rolled_back, rows
from tests.operations.erasure.test_places import ACTIVITY
from tests.operations.rollback.conftest import execute

INSERT = """
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
    VALUES ('view', 'web', now(), '{}', %s, 3)
"""
UPDATE = "UPDATE analytics.analytics_events SET niche_id = 5 WHERE user_id = %s AND niche_id = 3"
DELETE = "DELETE FROM analytics.analytics_events WHERE user_id = %s AND niche_id = 4"
HOLD = "SELECT FROM analytics.analytics_events WHERE user_id = %s LIMIT 1 FOR UPDATE"
TABLE = "analytics.analytics_events"


def test_what_is_written_after_the_tombstone_goes_and_is_told_of(migrated: Engine) -> None:
    url = migrated.url
    fill(url)

    def write() -> None:
        with psycopg.connect(conninfo(url), autocommit=True) as connection:
            for _ in range(3):
                connection.execute(INSERT, [ANN])

    done = []
    counted(lambda: done.append(erase(url, ANN)), once("WITH RECURSIVE tree", write))
    [events] = [each for each in done[0].places if each.place == TABLE]
    assert (events.rows, events.meanwhile) == (EVENTS + 3, 3)
    assert of(url, TABLE, ANN) == 0
    assert execute(url, ACTIVITY) == [(0,)]


def test_what_was_there_before_is_not_said_to_have_come(migrated: Engine) -> None:
    fill(migrated.url)
    assert {each.meanwhile for each in erase(migrated.url, ANN).places} == {0}


@contextmanager
def writing(url: URL, users: tuple[str, ...]) -> Iterator[list[str]]:
    """Sessions that insert, update and delete events of these users all the while."""
    ended, errors = threading.Event(), []

    def write(user: str) -> None:
        with psycopg.connect(conninfo(url), autocommit=True) as connection:
            while not ended.is_set():
                try:
                    connection.execute(INSERT, [user])
                    connection.execute(UPDATE, [user])
                    connection.execute(DELETE, [user])
                except psycopg.Error as error:
                    errors.append(str(error))

    threads = [threading.Thread(target=write, args=[user]) for user in users for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield errors
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_beside_writers_of_the_same_user(migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who goes on writing is told of; once they have ended, it is finished."""
    url = migrated.url
    fill(url)
    monkeypatch.setattr(erasing, "ROUNDS", 3)
    with writing(url, (ANN, ANNA)) as errors:
        done = erase(url, ANN)
    assert not errors
    assert execute(url, ACTIVITY) == [(0,)]
    [events] = [each for each in done.places if each.place == TABLE]
    assert events.meanwhile > 0
    if done.exit_code:
        assert done.left > 0
        done = resume(url)
    else:
        erase(url, ANN)
    assert done.exit_code == 0
    assert of(url, TABLE, ANN) == 0
    assert of(url, TABLE, ANNA) > 0
    assert execute(url, ACTIVITY) == [(0,)]


def test_a_row_that_the_application_holds_is_not_waited_for(migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """All others go; it is told of, and goes once it is let go."""
    url = migrated.url
    fill(url)
    monkeypatch.setattr(erasing, "ROUNDS", 2)
    with psycopg.connect(conninfo(url)) as holder:
        holder.execute(HOLD, [ANN])
        done = erase(url, ANN)
        assert (done.left, done.exit_code) == (1, 1)
        assert done.gone_from_live_tables is None
        assert of(url, TABLE, ANN) == 1
    done = resume(url)
    assert (done.left, done.exit_code, rows(done)[TABLE]) == (0, 0, EVENTS)
    assert of(url, TABLE, ANN) == 0


@pytest.mark.parametrize("ends", [True, False], ids=["ends", "stays open"])
def test_a_row_that_was_written_before_and_is_not_committed(
    migrated: Engine, monkeypatch: pytest.MonkeyPatch, ends: bool
) -> None:
    """Nobody sees it: its transaction is waited for, and told of where it does not end."""
    url = migrated.url
    fill(url)
    if not ends:
        monkeypatch.setattr(erasing, "ROUNDS", 2)
    with psycopg.connect(conninfo(url)) as writer:
        writer.execute(INSERT, [ANN])
        looks, done = [], []

        def look(_number: int, statement: str) -> None:
            if "INNER JOIN tree AS t ON t.oid = l.relation" in statement:
                looks.append(statement)
                if ends and len(looks) == 3:
                    writer.commit()

        counted(lambda: done.append(erase(url, ANN)), look)
        told = [] if ends else [f"pid {writer.info.backend_pid}"]
        assert (done[0].uncommitted, done[0].exit_code) == (told, 0 if ends else 1)
    if not ends:
        assert of(url, TABLE, ANN) == 1
        assert resume(url).exit_code == 0
    assert of(url, TABLE, ANN) == 0


def test_who_writes_rows_of_users_and_does_not_end_is_waited_for_until_the_deadline(migrated: Engine) -> None:
    """And named, before the end and in the certificate."""
    url = migrated.url
    fill(url)
    console = Console(file=StringIO())
    with psycopg.connect(conninfo(url)) as other:
        other.execute("SELECT pg_advisory_xact_lock_shared(hashtextextended('sidb writes of users', 0))")
        pid = f"pid {other.info.backend_pid}"
        done = erasing.erase(url, erasing.Asked((ANN,)), console, Options(deadline=1.2))
    assert (done.uncommitted, done.exit_code) == ([pid], 1)
    assert f"Waiting for {pid}" in console.file.getvalue()  # type: ignore[attr-defined]
    assert resume(url).exit_code == 0


def test_a_prepared_transaction_that_has_written_before_is_told_of(
    migrated: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No session has it any more: whoever prepared it is to end it."""
    url = migrated.url
    fill(url)
    monkeypatch.setattr(erasing, "ROUNDS", 2)
    with psycopg.connect(conninfo(url), autocommit=True) as writer:
        writer.execute("BEGIN")
        writer.execute(INSERT, [ANN])
        writer.execute("PREPARE TRANSACTION 'forgotten'")
        try:
            done = erase(url, ANN)
        finally:
            writer.execute("COMMIT PREPARED 'forgotten'")
    assert (done.uncommitted, done.exit_code) == (["a prepared transaction"], 1)
    assert of(url, TABLE, ANN) == 1
    assert resume(url).exit_code == 0
    assert of(url, TABLE, ANN) == 0


def test_a_load_that_has_asked_before_the_tombstone_is_waited_for(
    migrated: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its chunk commits afterwards, and what it holds is found all the same, half loaded as it is."""
    url = migrated.url
    asked, goes_on, waits = threading.Event(), threading.Event(), threading.Event()
    drop = erased.drop_records

    def drop_and_wait(connection: Connection) -> int:
        dropped = drop(connection)
        asked.set()
        assert goes_on.wait(60)
        return dropped

    def die(*_: object) -> None:
        raise InterruptedError

    def load_a_part() -> None:
        with pytest.raises(InterruptedError):
            load_file(migrated, write_csv(tmp_path / "a.csv", history()), report=die)

    def wait(pause: float) -> None:
        waits.set()
        time.sleep(pause)

    monkeypatch.setattr(erased, "drop_records", drop_and_wait)
    load_it = threading.Thread(target=load_a_part)
    load_it.start()
    assert asked.wait(60)
    monkeypatch.setattr(erased, "sleep", wait)
    erase_it = threading.Thread(target=erase, args=[url, ANN])
    erase_it.start()
    until(lambda: waits.is_set() or not erase_it.is_alive(), "it waits")
    goes_on.set()
    load_it.join()
    erase_it.join()
    assert execute(url, "SELECT finished IS NOT NULL FROM sidb.erasure") == [(True,)]
    assert (of(url, "sidb.backfill_load_1", ANN), of(url, "sidb.backfill_load_1", ANNA)) == (0, 10)


@pytest.mark.parametrize("place", ["sidb_archive_1.analytics_events", "analytics_partitions.analytics_events_first"])
def test_a_row_that_is_locked_elsewhere_is_not_said_to_be_gone(
    migrated: Engine, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """In an archive, and in a partition that somebody has detached."""
    url = migrated.url
    fill(url)
    if place.startswith("sidb_archive"):
        rolled_back(url)
    else:
        execute(url, f"ALTER TABLE {TABLE} DETACH PARTITION {place}")
    monkeypatch.setattr(erasing, "ROUNDS", 2)
    with psycopg.connect(conninfo(administrator(url))) as holder:
        holder.execute(HOLD.replace(TABLE, place), [ANN])
        done = erase(url, ANN)
        assert (done.left, done.exit_code, done.gone) == (1, 1, None)
        assert done.gone_from_live_tables is not None
    done = resume(url)
    assert (done.left, done.exit_code, of(url, place, ANN)) == (0, 0, 0)
    assert done.gone is not None
