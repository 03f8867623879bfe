"""The fingerprint: every change of a Phase 1 row that the application did not make is found, and no other."""

import logging
import threading
from collections.abc import Callable, Iterator

import psycopg
import pytest
from sqlalchemy import Engine, text

from backfill.pacing import Throttle
from operations import fingerprint
from operations.embedded import Server
from operations.fingerprint import BEFORE_ROLLBACK, BEFORE_UPGRADE, compare, take
from operations.phase1 import Shape
from tests.engine.conftest import until
from tests.fixtures.databases import NICHES, Alembic, Clone, conninfo
from tests.revisions.conftest import deploy

Connection = psycopg.Connection[tuple[object, ...]]


@pytest.fixture
def phase1(clone: Clone) -> Iterator[Connection]:
    with psycopg.connect(conninfo(clone("phase1_table")), autocommit=True) as connection:
        yield connection


def behind(phase1: Connection, statement: str) -> None:
    """Do it behind the application's back, as a superuser who passes by triggers and keys."""
    with psycopg.connect(phase1.info.dsn, user="postgres", autocommit=True) as connection:
        connection.execute(f"SET session_replication_role = replica; {statement}".encode())


def found(connection: Connection, moment: str = BEFORE_UPGRADE) -> fingerprint.Comparison:
    compared = compare(connection, moment)
    assert compared is not None
    return compared


def counts(connection: Connection) -> tuple[int, int, int, int, int]:
    it = found(connection)
    return it.unchanged, it.touched, it.altered, it.vanished, it.new


def test_what_was_never_taken(phase1: Connection) -> None:
    assert compare(phase1, BEFORE_UPGRADE) is None
    take(phase1, BEFORE_ROLLBACK)
    assert compare(phase1, BEFORE_UPGRADE) is None


def test_an_untouched_database(phase1: Connection) -> None:
    assert take(phase1, BEFORE_UPGRADE) == NICHES
    phase1.execute("SET timezone = 'Pacific/Auckland'; SET extra_float_digits = 0")
    assert counts(phase1) == (NICHES, 0, 0, 0, 0)
    assert found(phase1).holds


@pytest.mark.parametrize(
    "change",
    [
        "phrase = NULL",
        "phrase = phrase || ' '",
        "demand_score = 1 - demand_score",
        "monetise_score = NULL",
        "supply_score = 0.1234",
        "opportunity = opportunity + 0.00001",
    ],
)
def test_a_row_altered_behind_the_applications_back(phase1: Connection, change: str) -> None:
    take(phase1, BEFORE_UPGRADE)
    behind(phase1, "ALTER TABLE features ALTER phrase DROP NOT NULL")
    behind(phase1, f"UPDATE features SET {change} WHERE niche_id IN (17, 4)")  # noqa: S608
    assert counts(phase1) == (NICHES - 2, 0, 2, 0, 0)
    assert found(phase1).altered_keys == [4, 17]
    assert not found(phase1).holds


def test_rows_that_vanished_are_named_ten_at_most(phase1: Connection) -> None:
    take(phase1, BEFORE_UPGRADE)
    behind(phase1, "DELETE FROM features WHERE niche_id BETWEEN 20 AND 40")
    assert counts(phase1) == (NICHES - 21, 0, 0, 21, 0)
    assert found(phase1).vanished_keys == list(range(20, 30))
    assert not found(phase1).holds


def test_the_applications_own_writing_is_counted(phase1: Connection) -> None:
    phase1.execute("UPDATE features SET updated_at = NULL WHERE niche_id < 4")
    take(phase1, BEFORE_UPGRADE)
    phase1.execute("UPDATE features SET demand_score = 0.5, updated_at = now() WHERE niche_id < 6")
    phase1.execute("INSERT INTO features (phrase) VALUES ('new')")
    assert counts(phase1) == (NICHES - 5, 5, 0, 0, 1)
    assert found(phase1).holds


def test_each_moment_stands_for_itself_and_is_replaced_whole(phase1: Connection) -> None:
    take(phase1, BEFORE_UPGRADE)
    first = found(phase1).taken_at
    behind(phase1, "UPDATE features SET demand_score = 0.7777 WHERE niche_id = 4")
    take(phase1, BEFORE_ROLLBACK)
    assert (found(phase1).altered, found(phase1, BEFORE_ROLLBACK).altered) == (1, 0)
    take(phase1, BEFORE_UPGRADE)
    assert counts(phase1) == (NICHES, 0, 0, 0, 0)
    assert found(phase1).taken_at > first


def test_two_at_once_leave_one(phase1: Connection) -> None:
    take(phase1, BEFORE_UPGRADE)
    with psycopg.connect(phase1.info.dsn) as other:
        other.execute("SELECT 1")  # take's transaction is within this one, which stays open
        take(other, BEFORE_UPGRADE)
        beside = threading.Thread(target=take, args=(phase1, BEFORE_UPGRADE))
        beside.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = %s"
        until(lambda: other.execute(waiting, [phase1.info.backend_pid]).fetchone() == (1,), "the second one waits")
        other.commit()
        beside.join()
    assert phase1.execute("SELECT count(*) FROM sidb.fingerprint_row").fetchone() == (NICHES,)
    assert counts(phase1) == (NICHES, 0, 0, 0, 0)


def test_a_transaction_that_was_open_may_come_later(phase1: Connection) -> None:
    """now() is its beginning: older than the fingerprint, and no older copy."""
    with psycopg.connect(phase1.info.dsn) as scorer:
        scorer.execute("SELECT 1")
        take(phase1, BEFORE_UPGRADE)
        scorer.execute("UPDATE features SET demand_score = 0.5, updated_at = now() WHERE niche_id = 4")
        scorer.execute("INSERT INTO features (phrase) VALUES ('new')")
        began = scorer.execute("SELECT now()").fetchone()
        scorer.commit()
    assert found(phase1).oldest_open == (began or [None])[0]
    assert counts(phase1) == (NICHES - 1, 1, 0, 0, 1)
    assert (found(phase1).older, found(phase1).holds) == (0, True)
    phase1.execute("UPDATE features SET updated_at = updated_at - interval '1 microsecond' WHERE niche_id IN (4, 201)")
    assert found(phase1).older_keys == [4, 201]
    assert not found(phase1).holds


def test_where_it_is_not_known_since_when_transactions_are_open(phase1: Connection) -> None:
    take(phase1, BEFORE_UPGRADE)
    phase1.execute("UPDATE features SET updated_at = '2020-01-01' WHERE niche_id = 4")
    assert found(phase1).older == 1
    role = f"{phase1.info.dbname}_plain"
    behind(phase1, f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA public TO {role}")
    behind(phase1, f"ALTER TABLE features OWNER TO {role}; ALTER SCHEMA sidb OWNER TO {role}")
    behind(phase1, f"GRANT ALL ON ALL TABLES IN SCHEMA sidb TO {role}")
    with (
        psycopg.connect(phase1.info.dsn, user=role, autocommit=True) as plain,
        psycopg.connect(phase1.info.dsn, user="postgres") as other,
    ):
        take(plain, BEFORE_UPGRADE)
        assert found(plain).oldest_open is not None  # a session without a transaction says nothing, and need not
        other.execute("SELECT 1")
        take(plain, BEFORE_UPGRADE)
        assert found(plain).oldest_open is None
        plain.execute("UPDATE features SET updated_at = '2019-01-01' WHERE niche_id = 4")
        assert (found(plain).older, found(plain).touched) == (0, 1)
    behind(phase1, f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_one_that_an_older_version_took(phase1: Connection) -> None:
    take(phase1, BEFORE_UPGRADE)
    phase1.execute("ALTER TABLE sidb.fingerprint DROP COLUMN oldest_open")
    phase1.execute("UPDATE sidb.component SET version = 2 WHERE component = 'fingerprint'")
    phase1.execute("UPDATE features SET updated_at = '2020-01-01' WHERE niche_id = 4")
    assert (found(phase1).oldest_open, found(phase1).older, found(phase1).touched) == (None, 0, 1)
    take(phase1, BEFORE_UPGRADE)
    assert found(phase1).oldest_open is not None


def test_an_upgrade_that_leaves_phase_1_takes_it(clone: Clone, shape: Shape) -> None:
    url = clone(f"phase1_{shape}")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        Alembic(url).upgrade("1.0.0")
        assert compare(connection, BEFORE_UPGRADE) is None
        Alembic(url).upgrade("2.0.4")
        taken_at = found(connection).taken_at
        assert counts(connection) == (NICHES, 0, 0, 0, 0)
        Alembic(url).upgrade()
        assert found(connection).taken_at == taken_at
        connection.execute("DELETE FROM features WHERE niche_id = 1")
        Alembic(url).downgrade("1.0.0")
        assert counts(connection) == (NICHES - 1, 0, 0, 1, 0)
        Alembic(url).upgrade("2.0.0")
        assert counts(connection) == (NICHES - 1, 0, 0, 0, 0)


def test_a_change_that_the_upgrade_waited_for_is_in_it(clone: Clone, caplog: pytest.LogCaptureFixture) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("1.0.0")
    with (
        caplog.at_level(logging.INFO, "alembic.online"),
        psycopg.connect(conninfo(url)) as blocker,
        psycopg.connect(conninfo(url), autocommit=True) as connection,
    ):
        blocker.execute("LOCK TABLE features")
        upgrading = threading.Thread(target=Alembic(url).upgrade)
        upgrading.start()
        until(lambda: any("blocked by pid" in message for message in caplog.messages), "it was tried in vain")
        blocker.execute("UPDATE features SET demand_score = 0.7777 WHERE niche_id = 4")
        blocker.commit()
        upgrading.join()
        assert counts(connection) == (NICHES, 0, 0, 0, 0)


def test_an_owner_that_may_not_read_is_told_and_upgraded(
    server: Server, clone: Clone, connect: Callable[..., Engine], caplog: pytest.LogCaptureFixture
) -> None:
    deployed = deploy(server, clone("empty"), Shape.TABLE, connect)
    deployed.alembic.upgrade("1.0.0")
    with deployed.owner.begin() as connection:
        connection.execute(text("REVOKE SELECT ON public.features FROM phase1_owner, phase1_application"))
    with caplog.at_level(logging.INFO, "alembic.online"):
        deployed.alembic.upgrade("2.0.0")
    assert (
        "Phase 1's rows are not fingerprinted, and cannot be compared later: permission denied for table features"
        in caplog.messages
    )


def test_it_is_taken_in_pieces_with_a_rest_between(phase1: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(fingerprint, "PIECE", 60)
    niches = take(phase1, BEFORE_UPGRADE, Throttle(lambda: 0.5, wait=rests.append))
    assert niches == NICHES
    assert len(rests) == NICHES // 60 + 1
    assert counts(phase1) == (NICHES, 0, 0, 0, 0)
