"""An erasure rests for the application from what it did, and not from having waited."""

import io
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from rich.console import Console
from sqlalchemy import Engine

from operations.erasure.erase import working
from operations.erasure.pace import Pace
from tests.fixtures.databases import conninfo


@pytest.fixture
def pace(migrated: Engine) -> Iterator[Pace]:
    with working(migrated.url) as connection:
        yield Pace(connection, "public", 0.25, 0.3, Console(file=io.StringIO()))


@pytest.fixture
def rests(pace: Pace) -> list[float]:
    found: list[float] = []
    pace.throttle.wait = found.append
    return found


def read(session: psycopg.Connection[Any]) -> None:
    session.execute("SELECT count(*) FROM public.features, generate_series(1, 2000)")


def test_it_rests_between_two_pieces_that_read(migrated: Engine, pace: Pace, rests: list[float]) -> None:
    with psycopg.connect(conninfo(migrated.url), autocommit=True) as application:
        application.execute("SELECT")
        pace.read(read)
        assert rests == []
        pace.read(read)
    assert len(rests) == 1


def test_it_does_not_rest_from_waiting_for_a_lock(migrated: Engine, pace: Pace, rests: list[float]) -> None:
    with psycopg.connect(conninfo(migrated.url)) as holder:
        holder.execute("LOCK TABLE public.features")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            pace.read(read)
        pace.read(lambda session: session.execute("SELECT"))
    assert rests == []
