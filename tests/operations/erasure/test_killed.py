"""Killed at any moment, an erasure is finished from its tombstones alone, or by the same command again."""

from functools import partial
from pathlib import Path

import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine, create_engine

from operations.status.look import look
from tests.fixtures.ended import counted, killed, moments, once, stopped, that_differ
from tests.operations.erasure.conftest import ANN, ANNA, EVENTS, Dump, erase, fill, of, resume, rolled_back, staged
from tests.operations.erasure.test_places import ACTIVITY
from tests.operations.rollback.conftest import Copies, execute

FEW = 3  # every so many moments that differ, unless all are wanted


def everywhere(folder: Path, url: URL) -> None:
    """Something of both users in every place."""
    engine = create_engine(url)
    fill(url)
    rolled_back(url)
    fill(url)
    staged(engine, folder, ("view", "web", "never", "{}", ANN, "1", ""))
    engine.dispose()


def is_half_way(url: URL) -> bool:
    if execute(url, "SELECT to_regclass('sidb.erasure') IS NULL") == [(True,)]:
        return False
    return execute(url, "SELECT EXISTS (SELECT FROM sidb.erasure WHERE finished IS NULL)") == [(True,)]


@pytest.mark.parametrize("by", ["resume", "the same again"])
def test_killed_at_a_statement(copies: Copies, tmp_path: Path, dump: Dump, every_kill: bool, by: str) -> None:
    prepare = partial(everywhere, tmp_path)
    url = copies("everywhere", "migrated_table", prepare)
    kills = that_differ(moments(url, partial(erase, url, ANN)))
    expected = execute(url, "SELECT place, rows FROM sidb.erasure_place ORDER BY place")
    begun = 0
    for at in kills if every_kill else kills[0 if by == "resume" else FEW // 2 :: FEW]:
        url = copies("everywhere", "migrated_table", prepare)
        killed(partial(erase, url, ANN), at)
        half_way = is_half_way(url)
        begun += half_way
        if half_way and by == "resume":
            assert "`sidb erase --resume`" in look(url).next
            done = resume(url)
        else:
            done = erase(url, ANN)
        assert done.exit_code == 0, at
        assert ANN not in dump(url).replace(ANNA, ""), f"before statement {at}"
        found = execute(url, "SELECT place, sum(rows) FROM sidb.erasure_place GROUP BY place ORDER BY place")
        assert [(place, int(count)) for place, count in found] == expected, f"before statement {at}"
        assert of(url, "analytics.analytics_events", ANNA) == EVENTS + 10
        assert execute(url, ACTIVITY) == [(0,)]
        assert not look(url).amiss
    assert begun > 3


def test_another_one_is_not_begun_before_it(migrated: Engine) -> None:
    """Neither of other users, nor of some of these, nor of more."""
    url = migrated.url
    fill(url)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        counted(partial(erase, url, ANN, ANNA), once("WITH RECURSIVE tree", stop))
    assert execute(url, "SELECT finished IS NULL FROM sidb.erasure") == [(True,)]
    for others in (["bob"], [ANNA], [ANN, ANNA, "bob"]):
        with pytest.raises(OnlineError, match="is not finished; nothing of this one was begun") as refused:
            erase(url, *others)
        assert "sidb erase --resume" in refused.value.next_step
    resume(url)
    assert erase(url, "bob").users == 1
    assert of(url, "analytics.analytics_events", ANNA) == 0


def test_each_moment_is_the_one_at_which_it_was_reached_first(migrated: Engine) -> None:
    url, reaches = migrated.url, "UPDATE sidb.erasure SET"
    fill(url)
    moments = "SELECT live_gone, gone, finished FROM sidb.erasure"
    stopped(partial(erase, url, ANN), reaches, times=2)
    [(live_gone, *later)] = execute(url, moments)
    assert (live_gone is not None, later) == (True, [None, None])
    stopped(partial(resume, url), reaches, times=3)
    [(_, gone, finished)] = execute(url, moments)
    assert (gone is not None, finished) == (True, None)
    assert resume(url).exit_code == 0
    [(*reached, finished)] = execute(url, moments)
    assert (reached, finished is not None) == ([live_gone, gone], True)
