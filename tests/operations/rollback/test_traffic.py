"""Rollback and restore under Phase 1's traffic: no error, and nobody waits for as long as the blocker blocks."""

import time

from sqlalchemy import Engine

from operations.phase1 import Shape
from tests.fixtures.databases import Alembic
from tests.fixtures.traffic import traffic
from tests.operations.rollback.conftest import Fill, bring_back, execute, finding, roll_back

HOLD = 0.3  # seconds for which a session keeps a transaction open on features


def test_the_application_does_not_notice(filled: Engine) -> None:
    url = filled.url
    with traffic(url, hold=HOLD) as running:
        began = time.time()
        found = roll_back(url, "1.0.0")
        ended = time.time()
        report = running.report()
    assert report.errors == []
    assert report.throughput(began, ended) > 0
    assert report.longest(began, ended) < HOLD, "somebody waited for as long as the blocker blocks"
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert "written meanwhile" in finding(found, "Phase 1 data").detail
    # What the analysis wrote into features while it went on is in the archive.
    assert execute(url, "SELECT count(*) FROM sidb_archive_1.features WHERE analytics_version = 2") == [(150,)]


def test_nor_does_it_notice_a_restore(fill: Fill) -> None:
    """Neither the exchange of tables nor the columns that come back make it wait for long, or fail."""
    url = fill(Shape.MATVIEW).url
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    with traffic(url, hold=HOLD) as running:
        began = time.time()
        found = bring_back(url)
        ended = time.time()
        report = running.report()
    assert report.errors == []
    assert report.longest(began, ended) < HOLD, "somebody waited for as long as the blocker blocks"
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert execute(url, "SELECT count(*) FROM features WHERE analytics_version = 2") == [(150,)]
