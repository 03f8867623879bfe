"""A migration under Phase 1's traffic: the application goes on, and nobody waits for as long as the blocker blocks."""

import time
from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine, text

from operations import phase1
from operations.phase1 import Shape
from tests.engine.conftest import applied, ledger
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.revisions import REVISIONS
from tests.fixtures.traffic import traffic

HOLD = 0.8  # seconds for which a session keeps a transaction open on features


def test_up_and_down_under_traffic(clone: Clone, shape: Shape) -> None:
    url = clone(f"phase1_{shape}")
    with traffic(url, hold=HOLD) as running:
        began = time.time()
        Alembic(url).upgrade()
        Alembic(url).downgrade()
        ended = time.time()
        report = running.report()
    assert report.errors == []
    assert report.throughput(began, ended) > 0
    assert report.longest(began, ended) < HOLD, "somebody waited for as long as the blocker blocks"

    steps = [f"{revision} upgrade" for revision in REVISIONS]
    assert applied(url) == [*steps, *(f"{revision} downgrade" for revision in reversed(REVISIONS))]
    entries = [entry for entry in ledger(url) if entry.outcome == "applied"]
    assert all(entry.validated and entry.observed and entry.finished for entry in entries)
    # Going down, most steps need features for themselves and have to wait for the session that holds it.
    assert any(entry.seconds_waited > HOLD / 4 and entry.lock_tries > 5 for entry in entries)


def test_a_prepared_select_of_all_columns(clone: Clone) -> None:
    """asyncpg plans it again by itself; psycopg fails once a connection, outside of a transaction, and goes on then."""
    url = clone("phase1_table")
    select = "SELECT * FROM features WHERE niche_id = %s"
    with psycopg.connect(conninfo(url), autocommit=True, prepare_threshold=0) as connection:
        connection.execute(select, [1])
        with traffic(url, writers=0, readers=2, hold=None) as running:
            Alembic(url).upgrade()
            report = running.report()
        with pytest.raises(psycopg.errors.FeatureNotSupported, match="cached plan must not change result type"):
            connection.execute(select, [1])
        connection.execute("DEALLOCATE ALL")
        connection.prepared_max = 0
        assert connection.execute(select, [1]).fetchone()
    assert report.errors == []


def test_busy_writers_of_one_row_do_not_starve_it(clone: Clone) -> None:
    url = clone("phase1_table")
    with traffic(url, writers=8, readers=0, hold=None) as running:
        Alembic(url).upgrade()
        report = running.report()
    assert report.errors == []
    assert sum(entry.seconds_waited for entry in ledger(url)) < 10


def test_the_nightly_scorer_runs_beside_it(clone: Clone, connect: Callable[..., Engine], shape: Shape) -> None:
    """Its transaction holds every row of features, and hot_niches_today; it does not wait for the migration."""
    url = clone(f"phase1_{shape}")
    scorer = connect(url)
    with scorer.begin() as connection:
        phase1.score(connection, shape)
        blocked = Alembic(url, x=("deadline=300ms",))
        with pytest.raises(Exception, match="could not acquire its locks within 0 s"):
            blocked.upgrade()
        assert connection.execute(text("SELECT count(*) FROM features")).scalar_one() == 200
    Alembic(url).upgrade()
