"""A migration under Phase 1's traffic: the application goes on, and nobody waits behind it for a report to end."""

from collections.abc import Callable

import psycopg
import pytest
from sqlalchemy import Engine, text

from operations import phase1
from operations.phase1 import Shape
from tests.engine.conftest import applied, ledger
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.report import ATTEMPTS, Report
from tests.fixtures.revisions import REVISIONS
from tests.fixtures.traffic import traffic


def test_up_and_down_under_traffic(clone: Clone, shape: Shape) -> None:
    url = clone(f"phase1_{shape}")
    report = Report(url)

    def up_and_down() -> None:
        Alembic(url).upgrade()
        Alembic(url).downgrade()

    with traffic(url, hold=None) as running:
        report.beside(up_and_down)
        seen = running.report()
    assert seen.errors == []
    assert report.let_go, "it was in the way, and every client went on"
    assert report.queued == []

    steps = [f"{revision} upgrade" for revision in REVISIONS]
    assert applied(url) == [*steps, *(f"{revision} downgrade" for revision in reversed(REVISIONS))]
    entries = [entry for entry in ledger(url) if entry.outcome == "applied"]
    assert all(entry.validated and entry.observed and entry.finished for entry in entries)
    # Going down, most steps need features for themselves and have to wait for the session that holds it.
    assert any(entry.lock_tries > ATTEMPTS for entry in entries if entry.direction == "downgrade")


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
    assert applied(url) == [f"{revision} upgrade" for revision in REVISIONS]
    assert max(entry.lock_tries for entry in ledger(url)) < 200, "gaps between short transactions are found"


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
