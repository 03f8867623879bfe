"""From every revision to every earlier one, with rows: up, rollback, up, restore, and all is as it was.

By default each revision is once a start and the one before it the target, one after the other in one database, on each
shape and beside what others have; with --every-way all pairs are tried, each in a database of its own.
"""

import io
import re
from contextlib import suppress
from itertools import combinations
from typing import Any

import psycopg
import pytest
from rich.console import Console
from sqlalchemy import URL

from operations.rollback.archives import archives
from operations.verify.subject import WHOLE
from operations.verify.verification import verify
from tests.engine.conftest import catalog, current
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.revisions import REVISIONS
from tests.operations.rollback.conftest import HASHED, ROWS, SEQUENCES, bring_back, execute, privileges, roll_back

PLACES = ("phase1_table", "phase1_matview", "lived_in_table", "lived_in_matview")
NOT_THERE = (
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.InvalidSchemaName,
)
REPLACED = "materialized view public.hot_niches_today"
"""What the upgrade changes of Phase 1's, where it is a materialized view: it wraps the query."""


ITEM = re.compile(r"[\w=/*]+")
"""A privilege within what PostgreSQL prints of them."""
Way = tuple[str, str]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "ways" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("--every-way"):
        chosen = [((start, target),) for target, start in combinations(REVISIONS, 2)]
    else:
        chosen = [tuple(zip(REVISIONS[1:], REVISIONS[:-1], strict=True))]
    cases = [(place, ways) for ways in chosen for place in PLACES]
    names = [f"{place}, {ways[-1][0]} to {ways[0][1]}" for place, ways in cases]
    metafunc.parametrize(("place", "ways"), cases, ids=names)


def test_there_and_back(clone: Clone, place: str, ways: tuple[Way, ...]) -> None:
    url = clone(place)
    if url.username == lived_in.OWNER:
        lived_in.copy(url)
    untouched = lived_in.fingerprint_of_found(url) if url.username == lived_in.OWNER else {}
    waiting = [statement for statement in ROWS.split(";") if statement.strip()]
    for start, target in ways:
        Alembic(url).upgrade(start)
        waiting = fill(url, waiting)
        before = everything(url)
        there_and_back(url, start, target)
        after = everything(url)
        assert {name: (was, after[name]) for name, was in before.items() if after[name] != was} == {}
    found = verify(url, WHOLE, Console(file=io.StringIO())).findings
    assert [each for each in found if each.verdict == "failed"] == []
    if untouched:
        assert {name for name in lived_in.unchanged(untouched, url) if REPLACED not in name} == set()


def there_and_back(url: URL, start: str, target: str) -> None:
    found = roll_back(url, target)
    assert (found.exit_code, current(url)) == (0, target), found
    Alembic(url).upgrade(start)
    kept = [line for line in archives(url).tables if line.state == "archived"]
    if kept:
        restored = bring_back(url, kept[0].archive)
        assert restored.exit_code == 0, restored


def fill(url: URL, statements: list[str]) -> list[str]:
    """Rows in every table that there is; the statements for which there is none yet."""
    left = []
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        for statement in statements:
            try:
                connection.execute(statement.encode())
            except NOT_THERE:
                left.append(statement)
        with suppress(*NOT_THERE):
            connection.execute("SELECT analytics.refresh_stale_views()")
        if connection.execute(IS_MATERIALIZED).fetchone() == (True,):  # as every night
            connection.execute("REFRESH MATERIALIZED VIEW public.hot_niches_today")
    return left


IS_MATERIALIZED = "SELECT relkind = 'm' FROM pg_class WHERE oid = 'public.hot_niches_today'::regclass"


def everything(url: URL) -> dict[str, Any]:
    """A hash of the rows of each table that there is, how far sequences are, what there is, and who may do what."""
    # whatever their order, which says nothing where nobody passed one on
    rights = {f"rights on {name}": sorted(ITEM.findall(str(held))) for name, held in privileges(url).items()}
    found: dict[str, Any] = {
        "catalog": catalog(url),
        **rights,
        "sequences": execute(url, SEQUENCES),
    }
    phase1 = lived_in.PHASE1_ROWS if url.username == lived_in.OWNER else "SELECT * FROM public.features"
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        for query in (*HASHED, phase1):
            with suppress(*NOT_THERE):
                hashed = f"SELECT md5(string_agg(q::text, '|' ORDER BY q::text)), count(*) FROM ({query}) AS q"  # noqa: S608
                found[query] = connection.execute(hashed.encode()).fetchone()
    return found
