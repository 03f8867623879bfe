"""Death at any moment, of loader, worker or server: the final tables are those of an undisturbed run."""

import itertools
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine, NullPool, create_engine

from backfill.errors import BackfillError
from backfill.formats import lines
from backfill.progress import Scope
from operations.backfilling import reach
from tests.backfill.conftest import (
    AS_OF,
    HEADER,
    begin,
    final,
    history,
    load_file,
    run,
    slowly,
    verify,
    worker,
    write_csv,
)
from tests.fixtures.databases import Alembic, Clone
from tests.fixtures.server import throwaway_server

ROWS = 2_000
CHUNK = 2**12


@pytest.fixture(scope="session")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """One with phrases, some of them new, and one without."""
    directory = tmp_path_factory.mktemp("kills")
    without_phrase = len(HEADER) - 1
    return [
        write_csv(directory / "phrases.csv.gz", history(ROWS // 2)),
        write_csv(directory / "plain.csv", history(ROWS // 2, seed=2), without_phrase),
    ]


def in_child(work: Callable[[], object]) -> int:
    """Do it in a process of its own; its exit code is 0 when it came to its end."""
    pid = os.fork()
    if pid == 0:
        code = 1
        with suppress(BackfillError, OnlineError):
            work()
            code = 0
        os._exit(code)
    return pid


def ended(pid: int, options: int = 0) -> int | None:
    """Its exit code or, negative, the signal that ended it; None: it runs."""
    found, status = os.waitpid(pid, options)
    return os.waitstatus_to_exitcode(status) if found else None


@contextmanager
def stopped(work: Callable[[Callable[[], None]], object]) -> Iterator[int]:
    """A process that works until it calls what it is given: then it stands still, and dies at the end of the block."""
    reader, writer = os.pipe()

    def stand_still() -> None:
        os.write(writer, b"held")
        os.kill(os.getpid(), signal.SIGSTOP)

    pid = in_child(lambda: work(stand_still))
    assert os.read(reader, 4) == b"held"
    os.waitpid(pid, os.WUNTRACED)
    try:
        yield pid
    finally:
        os.kill(pid, signal.SIGKILL)
        ended(pid)
        os.close(reader)
        os.close(writer)


def load_them(url: URL, paths: list[Path]) -> None:
    lines.BLOCK = CHUNK  # in a process of its own, or for all tests of this file
    for path in paths:
        load_file(reach(url, poolclass=NullPool), path, chunk=CHUNK)


def run_it(url: URL) -> None:
    worker(reach(url), pace=slowly()).run(Scope(AS_OF))


def kill_until_done(work: Callable[[], object], duration: float, chance: random.Random) -> int:
    """Start it, kill it at a random moment, and again until it comes to its end; the number of kills."""
    for kills in itertools.count():
        pid = in_child(work)
        time.sleep(chance.uniform(0, duration))  # the random moment
        if ended(pid, os.WNOHANG) == 0:
            return kills
        os.kill(pid, signal.SIGKILL)
        if ended(pid) == 0:
            return kills
    raise AssertionError


def test_killed_loaders_and_workers_leave_what_an_undisturbed_run_leaves(
    clone: Clone, connect: Callable[[URL], Engine], paths: list[Path], request: pytest.FixtureRequest
) -> None:
    durations = []
    undisturbed = connect(clone("migrated_table"))
    for work in (lambda: load_them(undisturbed.url, paths), lambda: run_it(undisturbed.url)):
        since = time.monotonic()
        assert ended(in_child(work)) == 0
        durations.append(time.monotonic() - since)
        begin(undisturbed)
    expected = final(undisturbed)
    assert expected["events"][0] == ROWS + expected["features"][0]

    chance = random.Random(42)  # noqa: S311
    kills = [0, 0]
    wanted = request.config.getoption("--kills")
    while sum(kills) < wanted:
        url = clone("migrated_table")
        kills[0] += kill_until_done(lambda: load_them(url, paths), durations[0] * 1.2, chance)  # noqa: B023
        engine = connect(url)
        begin(engine)
        kills[1] += kill_until_done(lambda: run_it(url), durations[1] * 1.2, chance)  # noqa: B023
        assert all(proof.holds for proof in verify(engine))
        assert final(engine) == expected
    assert min(kills) > 0


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_share_the_work(
    workers: int, clone: Clone, connect: Callable[[URL], Engine], paths: list[Path]
) -> None:
    alone, shared = connect(clone("migrated_table")), connect(clone("migrated_table"))
    for engine in (alone, shared):
        load_them(engine.url, paths)
        begin(engine)
    run(alone)
    children = [in_child(lambda: run_it(shared.url)) for _ in range(workers)]
    assert [ended(pid) for pid in children] == [0] * workers
    assert all(proof.holds for proof in verify(shared))
    assert final(shared) == final(alone)


def test_a_server_that_stops_and_starts(pg_bin: Path, paths: list[Path], templates: Any, tmp_path: Path) -> None:
    from operations import phase1
    from operations.phase1 import Shape

    with throwaway_server(pg_bin) as server:
        url = server.url("postgres")
        engine = create_engine(url, poolclass=NullPool)
        with engine.begin() as connection:
            phase1.create(connection, Shape.TABLE)
            phase1.sample(connection, 200)
            phase1.refresh(connection, Shape.TABLE)
        Alembic(url).upgrade()
        for work in (lambda: load_them(url, paths), lambda: run_it(url)):
            for pause in (0.3, 0.6):
                pid = in_child(work)
                time.sleep(pause)  # some moment within the work
                server.stop()
                assert ended(pid) in (0, 1)  # done before, or an error that people can read
                server.start()
            assert ended(in_child(work)) == 0
            begin(engine)
        assert all(proof.holds for proof in verify(engine))
        found = final(engine)
        assert found["events"][0] == ROWS + found["features"][0]
