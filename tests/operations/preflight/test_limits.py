"""Limits of a preflight: one that is passed is enough, and what is near one is a warning."""

from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import URL

from operations.preflight import partitioning, server
from operations.preflight.context import Limits, Request
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import Clone, Templates, cloning, conninfo
from tests.fixtures.server import throwaway_server
from tests.operations.preflight.conftest import ask
from tests.operations.rollback.conftest import execute


def within(**limits: float) -> Request:
    return Request(limits=Limits(**limits))  # type: ignore[arg-type]


@pytest.mark.parametrize("limit", [{"free_connections": 10**6}, {"connections_share": 0}])
def test_too_few_connections_or_too_large_a_share_of_them(clone: Clone, limit: dict[str, float]) -> None:
    found = ask(clone("phase1_table"), "connections", within(**limit))
    assert found.verdict == "failed"
    assert found.detail.endswith(" connections are in use")


def test_a_slot_that_is_read_and_keeps_much_is_a_warning(cluster: Cluster, phase1: URL) -> None:
    found = ask(phase1, "replication slots", within(slot_bytes=-1))
    assert (found.verdict, found.detail.startswith("slot replica keeps ")) == ("warning", True)
    assert cluster.primary


def test_a_slot_whose_wal_is_gone_or_goes_next(pg_bin: Path) -> None:
    """What it keeps is less than any limit then, and who reads it cannot go on."""
    options = {"wal_level": "replica", "max_slot_wal_keep_size": "1MB"}
    with throwaway_server(pg_bin, options) as server, cloning(Templates(server)) as clone:
        url = clone("empty")
        execute(url, "SELECT pg_create_physical_replication_slot('theirs', true)")
        for _ in range(3):
            execute(url, "SELECT pg_logical_emit_message(false, 'sidb', 'written', true)")
            execute(url, "SELECT pg_switch_wal()")
        for state in ("unreserved", "lost"):
            found = ask(url, "replication slots")
            assert execute(url, "SELECT wal_status FROM pg_replication_slots") == [(state,)]
            assert (found.verdict, found.detail) == ("failed", "theirs has lost WAL, or is about to")
            execute(url, "CHECKPOINT")


def test_a_transaction_that_is_open_for_a_part_of_the_limit_is_a_warning(clone: Clone) -> None:
    url = clone("phase1_table")
    with closing(psycopg.connect(conninfo(url))) as other:
        other.execute("SELECT FROM features")
        found = ask(url, "idle transactions", within(idle_seconds=600, warning_share=0))
    assert found.verdict == "warning"


def test_a_transaction_that_is_seen_counts_beside_sessions_that_are_not(owner: URL) -> None:
    with psycopg.connect(conninfo(owner.set(username="postgres"))), psycopg.connect(conninfo(owner)) as ours:
        assert ask(owner, "idle transactions").verdict == "unknown"
        ours.execute("SELECT FROM features")
        assert ask(owner, "idle transactions", within(idle_seconds=0)).verdict == "failed"


def test_a_version_that_nobody_has_tested_is_a_warning(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("phase1_table")
    assert ask(url, "server").verdict == "ok"
    monkeypatch.setattr(server, "NEWEST_TESTED", 14)
    found = ask(url, "server")
    assert (found.verdict, found.detail.endswith("is newer than 14, the newest tested")) == ("warning", True)


def test_locks_of_many_months_that_the_server_has_no_room_for(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("phase1_table")
    assert ask(url, "partitioning").verdict == "ok"
    monkeypatch.setattr(partitioning, "LOCKS", 10**6)
    found = ask(url, "partitioning")
    assert found.verdict == "warning"
    assert "ALTER SYSTEM SET max_locks_per_transaction = 256" in found.detail
