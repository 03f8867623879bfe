"""Beside writers of Phase 2: the backfill is paused, and what is written into columns while they are copied is kept."""

import io
import threading
from collections.abc import Sequence
from functools import partial
from typing import Any

import psycopg
import pytest
from alembic_online import Options
from alembic_online.parts import Part
from alembic_online.retry import RetryPolicy
from rich.console import Console

from operations import backfilling
from operations.findings import Findings
from operations.phase1 import Shape
from operations.rollback import rollback
from operations.rollback.archive import Archive
from tests.fixtures.databases import conninfo
from tests.fixtures.ended import counted, once
from tests.operations.rollback.conftest import Fill, abort, execute, finding, roll_back

PAUSED = "SELECT count(*) > 0 FROM sidb.backfill_pause_orders"


@pytest.mark.parametrize("already", [False, True], ids=["running", "paused already"])
def test_the_backfill_is_paused_and_goes_on_after_an_abort(
    fill: Fill, monkeypatch: pytest.MonkeyPatch, already: bool
) -> None:
    engine = fill(Shape.TABLE)
    url = engine.url
    monkeypatch.setenv("DATABASE_URL", conninfo(url))
    with backfilling.database() as opened:
        backfilling.pause(opened, already)

    class StoppedError(Exception):
        pass

    def stop(_: int, statement: str) -> None:
        if "REVOKE ALL" in statement and "CASCADE" in statement:
            raise StoppedError

    with pytest.raises(StoppedError):
        counted(lambda: roll_back(url, "2.0.0"), stop)
    assert execute(url, PAUSED) == [(True,)]
    abort(url)
    assert execute(url, PAUSED) == [(already,)]
    assert finding(roll_back(url, "2.0.0"), "backfill").detail == ("was paused already" if already else "paused")
    assert execute(url, PAUSED) == [(True,)]


def test_it_goes_on_after_an_abort_however_often_it_was_interrupted(
    fill: Fill, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt finds it paused, by the first one."""
    url = fill(Shape.TABLE).url
    monkeypatch.setenv("DATABASE_URL", conninfo(url))
    with backfilling.database() as opened:
        backfilling.pause(opened, False)
    for target in ("2.0.0", None):
        with pytest.raises(KeyboardInterrupt):
            counted(partial(roll_back, url, target), once("REVOKE ALL.*CASCADE", interrupt))
    abort(url)
    assert execute(url, PAUSED) == [(False,)]


def interrupt() -> None:
    raise KeyboardInterrupt


def test_what_is_written_while_columns_are_copied(fill: Fill, monkeypatch: pytest.MonkeyPatch) -> None:
    """An analysis that ignores all signs goes on until its columns are gone: its last words are in the archive."""
    url = fill(Shape.TABLE).url
    copied = threading.Event()
    written: dict[int, int] = {}
    after = 0
    prepare = Archive.prepare

    def prepare_and_wait(archive: Archive, columns: Sequence[Part], policy: RetryPolicy) -> None:
        prepare(archive, columns, policy)
        if archive.copies and not copied.is_set():
            copied.set()
            wanted.wait(20)

    wanted = threading.Event()
    monkeypatch.setattr(Archive, "prepare", prepare_and_wait)

    def analyse() -> None:
        nonlocal after
        with psycopg.connect(conninfo(url), autocommit=True) as analysis:
            for number in range(1_000_000):
                niche = number % 200 + 1
                try:
                    analysis.execute(
                        "UPDATE public.features SET analytics_version = %s WHERE niche_id = %s", [number + 10, niche]
                    )
                except psycopg.errors.UndefinedColumn:
                    return
                written[niche] = number + 10
                after += copied.is_set()
                if after == 20:
                    wanted.set()

    analysis = threading.Thread(target=analyse)
    analysis.start()
    found: Findings = rollback.run(
        url, rollback.prepare(url, "2.0.3"), Options(deadline=30), Console(file=io.StringIO())
    )
    analysis.join(20)
    assert after >= 20, "it wrote after the copy"
    assert found.exit_code == 0
    copy = 'SELECT niche_id, analytics_version FROM sidb_archive_1."columns of features"'
    kept: dict[Any, Any] = dict(execute(url, copy))
    assert {niche: kept.get(niche) for niche in written} == written
    assert execute(url, "SELECT count(*) FROM pg_trigger WHERE tgname ~ '^sidb'") == [(0,)]
