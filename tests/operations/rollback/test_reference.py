"""The foreign key of archived events to their niches: nobody is held up by one that an attempt has left there."""
# ruff: noqa: S608 (statements of our own making)

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest
from alembic_online import Options
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine

from operations.rollback import archives
from tests.engine.conftest import until
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.ended import counted, once, stopped
from tests.operations.rollback.conftest import MOVES, bring_back, execute, roll_back
from tests.operations.rollback.test_events_by_month import PAST_BOUND
from tests.operations.rollback.test_meanwhile import EVENT

EVENTS, NICHE = "analytics.analytics_events", 199
REFERENCES = """
    SELECT conrelid::regclass::text FROM pg_constraint
    WHERE contype = 'f' AND connamespace = 'sidb_archive_1'::regnamespace AND confrelid = 'public.features'::regclass
"""
KINDS = pytest.mark.parametrize("prepare", ["SELECT", PAST_BOUND], ids=["attached", "a tree"])


def put_aside(engine: Engine, prepare: str) -> URL:
    execute(engine.url, prepare)
    engine.dispose()
    roll_back(engine.url, "2.0.7" if prepare == PAST_BOUND else "1.0.0")
    Alembic(engine.url).upgrade()
    return engine.url


def newer(url: URL) -> None:
    """An event whose id none of the archive's has."""
    execute(url, f"SELECT setval('{EVENTS}_event_id_seq', 900000); {EVENT}")


@KINDS
def test_an_exchange_that_was_missed_leaves_none(engine: Engine, prepare: str) -> None:
    url = put_aside(engine, prepare)
    act = once(r"LOCK TABLE .*analytics_events.* ACCESS EXCLUSIVE", partial(newer, url))
    with pytest.raises(OnlineError, match="was written to just now"):
        counted(partial(bring_back, url), act)
    assert execute(url, REFERENCES) == []


@KINDS
@pytest.mark.parametrize("at", ["VALIDATE CONSTRAINT", f"DETACH PARTITION|{MOVES}"], ids=["in part", "whole"])
def test_a_niche_can_go_after_an_attempt_that_was_interrupted(engine: Engine, prepare: str, at: str) -> None:
    url = put_aside(engine, prepare)
    stopped(partial(bring_back, url), rf"({at})(?!.*trend_cache)")
    assert execute(url, REFERENCES) != []
    newer(url)
    assert bring_back(url).exit_code == 0
    execute(url, f"DELETE FROM {EVENTS} WHERE niche_id = {NICHE}; DELETE FROM public.features WHERE niche_id = {NICHE}")
    assert execute(url, REFERENCES) == []


@KINDS
def test_to_delete_such_an_archive_waits_for_readers_of_niches(engine: Engine, prepare: str) -> None:
    url = put_aside(engine, prepare)
    stopped(partial(bring_back, url), rf"(DETACH PARTITION|{MOVES})(?!.*trend_cache)")
    waiting = "SELECT waitstart FROM pg_locks WHERE NOT granted AND relation = 'public.features'::regclass"
    attempts: set[object] = set()

    def is_tried_again() -> bool:
        attempts.update(execute(url, waiting))
        return len(attempts) > 1

    with ThreadPoolExecutor(1) as pool, psycopg.connect(conninfo(url)) as reader:
        reader.execute("SELECT FROM public.features LIMIT 1")
        dropped = pool.submit(archives.drop, url, 1, Options(deadline=60))
        until(lambda: dropped.done() or is_tried_again(), "the lock is asked for twice")
        reader.rollback()
        dropped.result()
    assert execute(url, "SELECT to_regnamespace('sidb_archive_1') IS NULL") == [(True,)]
