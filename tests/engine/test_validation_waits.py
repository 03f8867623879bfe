"""A step is validated as soon as nobody is in the way: the application's REFRESH of a moment ends no run."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest
from sqlalchemy import URL

from tests.engine.conftest import current, ledger, refusal
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.logs import when_told
from tests.fixtures.revisions import HEAD

REFRESH = "REFRESH MATERIALIZED VIEW public.hot_niches_today"
VALIDATION = "2.0.0 upgrade is applied; its validation"


@pytest.fixture
def url(clone: Clone) -> URL:
    return clone("phase1_matview")


@pytest.fixture
def application(url: URL) -> Iterator[psycopg.Connection[object]]:
    with closing(psycopg.connect(conninfo(url), application_name="scorer")) as connection:
        yield connection


def test_it_goes_on_when_the_refresh_is_committed(url: URL, application: psycopg.Connection[object]) -> None:
    named = f"{VALIDATION}: blocked by pid {application.info.backend_pid} on "
    with (
        when_told("2.0.0 upgrade: done", lambda: application.execute(REFRESH)),
        when_told(named, application.commit),
    ):
        Alembic(url).upgrade()
    assert current(url) == HEAD
    assert [entry.validated for entry in ledger(url)] == [True] * len(ledger(url))


def test_who_is_in_the_way_for_too_long_is_named_and_the_next_run_validates_it(
    url: URL, application: psycopg.Connection[object]
) -> None:
    pid = application.info.backend_pid
    with when_told("2.0.0 upgrade: done", lambda: application.execute(REFRESH)):
        said = refusal(Alembic(url, x=("deadline=300ms",)).upgrade)
    assert f"{VALIDATION}: could not acquire its locks within 0 s" in said
    assert f"\n  pid {pid} on hot_niches_today (user postgres, application scorer, idle in transaction" in said
    assert (current(url), ledger(url)[-1].validated) == ("2.0.0", None)
    named = f"{VALIDATION}: blocked by pid {pid} on "
    with when_told(named, application.commit):
        Alembic(url).upgrade()
    assert current(url) == HEAD
    assert [entry.validated for entry in ledger(url)] == [True] * len(ledger(url))
