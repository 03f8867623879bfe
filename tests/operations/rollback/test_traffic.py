"""Rollback and restore under Phase 1's traffic: no error, and nobody waits behind them for a report to end."""

from functools import partial

from sqlalchemy import Engine

from operations.phase1 import Shape
from tests.fixtures.databases import Alembic
from tests.fixtures.report import Report
from tests.fixtures.traffic import traffic
from tests.operations.rollback.conftest import Fill, bring_back, execute, finding, roll_back


def test_the_application_does_not_notice(filled: Engine) -> None:
    url = filled.url
    report = Report(url)
    with traffic(url, hold=None) as running:
        found = report.beside(partial(roll_back, url, "1.0.0"))
        seen = running.report()
    assert seen.errors == []
    assert report.let_go, "it was in the way, and every client went on"
    assert report.queued == []
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert "written meanwhile" in finding(found, "Phase 1 data").detail
    # What the analysis wrote into features while it went on is in the archive.
    copied = 'SELECT count(*) FROM sidb_archive_1."columns of features" WHERE analytics_version = 2'
    assert execute(url, copied) == [(150,)]


def test_nor_does_it_notice_a_restore(fill: Fill) -> None:
    """Neither the exchange of tables nor the columns that come back make it wait for a report, or fail."""
    url = fill(Shape.MATVIEW).url
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    report = Report(url)
    with traffic(url, hold=None) as running:
        found = report.beside(partial(bring_back, url))
        seen = running.report()
    assert seen.errors == []
    assert report.let_go, "it was in the way, and every client went on"
    assert report.queued == []
    assert found.exit_code == 0, [each for each in found.findings if each.verdict == "failed"]
    assert execute(url, "SELECT count(*) FROM features WHERE analytics_version = 2") == [(150,)]
