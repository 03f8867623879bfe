"""Beside what others have, and have built on ours: killed or interrupted at any moment, a rollback that takes it along
is finished by the next one or given up, and a restore is finished by the next one; nothing of anybody is lost.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from sqlalchemy import URL

from operations.phase1 import Shape
from operations.rollback import archives
from operations.rollback.records import reading
from tests.engine.conftest import current
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import interrupted, killed, moments, of_each_line, that_differ
from tests.fixtures.everything import difference, everything
from tests.fixtures.revisions import HEAD
from tests.operations.rollback.conftest import ROWS, Copies, abort, bring_back, execute, roll_back
from tests.operations.rollback.test_take_along import ON_HOT_NICHES

Ending = Callable[[Callable[[], Any], int], None]
TARGET = "2.0.1"  # so that some tables move, and some stay and get their privileges back
FEW = 175  # every so many moments, unless all are wanted


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    every = metafunc.config.getoption("--every-kill")
    chosen = Shape.TABLE if metafunc.function is test_a_rollback else Shape.MATVIEW
    metafunc.parametrize("shape", list(Shape) if every else [chosen])


def inhabit(url: URL) -> None:
    """Upgraded, filled, and others have built one of everything on it."""
    upgrade(url)
    execute(url, ROWS)
    lived_in.dependants(url)
    lived_in.execute(url, "lived_in_take_along")
    execute(url, ON_HOT_NICHES)
    execute(url, "REFRESH MATERIALIZED VIEW reporting.counted; ANALYZE")


def upgrade(url: URL) -> None:
    """As the role that migrates there; what goes back does so as a superuser."""
    Alembic(lived_in.own(url)).upgrade()


def endings(url: URL, work: Callable[[], Any]) -> list[tuple[int, Ending]]:
    """Before which statement the work, which is done once, is ended and how.

    Killed where something else is committed or begun, since nothing but that is left of a killed process; interrupted
    wherever other lines of ours are left.
    """
    found = moments(url, work)
    kills = [(at, killed) for at in that_differ(found)]
    return kills + [(at, interrupted) for at in of_each_line(found)]


def test_a_rollback(copies: Copies, shape: Shape, every_kill: bool) -> None:
    def inhabited() -> URL:
        return copies(f"inhabited_{shape}", f"lived_in_{shape}", inhabit)

    url = inhabited()
    before = everything(url)
    rolling_back = partial(roll_back, take_along=True)
    ends = endings(url, partial(rolling_back, url, TARGET))
    expected = everything(url)
    assert difference(expected, before)
    ways = [
        (at, end, given_up)
        for place, (at, end) in enumerate(ends)
        for given_up in ([False, True] if end is killed else [bool(place % 2)])
    ]
    for at, end, given_up in ways if every_kill else ways[50::FEW]:
        where = f"{end.__name__} before statement {at}, {given_up=}"
        url = inhabited()
        end(partial(rolling_back, url, TARGET), at)
        with reading(url) as records:
            pending = records.pending()
        if pending is None and current(url) == HEAD:
            assert difference(before, everything(url)) == {}, where
        elif pending is None or not given_up:
            found = roll_back(url, None) if pending else None
            assert found is None or found.exit_code == 0, (where, found)
            assert difference(expected, everything(url)) == {}, where
        else:
            found = abort(url)
            assert found.exit_code == 0, (where, found)
            if current(url) != HEAD:
                assert "sidb upgrade" in found.next_step, where
                upgrade(url)
            if "sidb restore" in found.next_step:
                assert bring_back(url).exit_code == 0, where
            assert difference(before, everything(url)) == {}, where


def is_left(url: URL) -> bool:
    """Whether something is still to be restored."""
    return any(line.state != "restored" for line in archives.archives(url).tables)


def test_a_restore(copies: Copies, shape: Shape, every_kill: bool) -> None:
    complete: list[dict[str, Any]] = []

    def roll_back_and_upgrade(url: URL) -> None:
        inhabit(url)
        complete.append(everything(url))
        roll_back(url, TARGET, take_along=True)
        upgrade(url)

    def restorable() -> URL:
        return copies(f"restorable_{shape}", f"lived_in_{shape}", roll_back_and_upgrade)

    url = restorable()
    ends = endings(url, partial(bring_back, url))
    for at, end in ends if every_kill else ends[20::FEW]:
        where = f"{end.__name__} before statement {at}"
        url = restorable()
        end(partial(bring_back, url), at)
        if is_left(url):
            found = bring_back(url)
            assert found.exit_code == 0, (where, found)
        assert difference(complete[0], everything(url)) == {}, where
