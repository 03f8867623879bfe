"""A revision that commits on its way is interrupted at every statement and run again: it ends as if undisturbed."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from alembic import command
from sqlalchemy import URL, Engine, NullPool, create_engine, event, text

from operations import phase1
from operations.phase1 import Shape
from tests.fixtures.databases import Alembic, Clone, Templates
from tests.fixtures.revisions import REVISIONS
from tests.revisions.catalog import catalog, contents
from tests.revisions.test_step_by_step import ACTIVITY, COUNTED, write_events

Copy = Callable[[URL], Engine]


class ConnectionLostError(Exception):
    """What a dropped connection or a cancelled statement is to a migration."""


@pytest.fixture
def copy(templates: Templates) -> Iterator[Copy]:
    """``copy(url)`` is a copy of a database that nobody is connected to."""
    numbers = count(1)
    made = []

    def make(url: URL) -> Engine:
        made.append(templates.janitor(f"{url.database}_copy_{next(numbers)}", url.database))
        made[-1].init()
        return create_engine(url.set(database=made[-1].dbname), poolclass=NullPool)

    yield make
    for janitor in made:
        janitor.drop()


def run(engine: Engine, direction: str, revision: str, interrupt_at: int | None = None) -> int:
    """Run the migration, stopping before its n-th statement; returns how many there were."""
    statements = 0

    def before_execute(*_arguments: Any) -> None:
        nonlocal statements
        statements += 1
        if statements == interrupt_at:
            raise ConnectionLostError

    event.listen(engine, "before_cursor_execute", before_execute)
    try:
        getattr(command, direction)(Alembic(engine.url).config(connection=engine), revision)
    except ConnectionLostError:
        assert interrupt_at is not None
    finally:
        event.remove(engine, "before_cursor_execute", before_execute)
    return statements


def life_goes_on(engine: Engine, shape: Shape) -> None:
    """What happens between the interruption and the next run."""
    with engine.begin() as connection:
        phase1.score(connection, shape)
        write_events(connection, 2)


@pytest.mark.parametrize("revision", ["2.0.4", "2.0.5", "2.0.6", "2.1.0", "2.2.1"])
@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_run_again_after_every_statement(clone: Clone, copy: Copy, shape: Shape, direction: str, revision: str) -> None:
    url = clone(f"phase1_{shape}")
    before = REVISIONS[REVISIONS.index(revision) - 1]
    start, goal = (before, revision) if direction == "upgrade" else (revision, before)
    Alembic(url).upgrade(start)
    origin = create_engine(url, poolclass=NullPool)
    life_goes_on(origin, shape)

    undisturbed = copy(url)
    statements = run(undisturbed, direction, goal)
    expected = catalog(undisturbed)
    assert statements > 4
    for number in range(1, statements + 1):
        engine = copy(url)
        run(engine, direction, goal, interrupt_at=number)
        life_goes_on(engine, shape)
        run(engine, direction, goal)
        assert catalog(engine) == expected, number
        if goal >= "2.0.6":
            assert contents(engine, ACTIVITY) == contents(engine, COUNTED), number


def test_an_invalid_index_is_replaced(clone: Clone, connect: Callable[..., Engine], copy: Copy) -> None:
    url = clone("phase1_table")
    Alembic(url).upgrade("2.0.4")
    undisturbed, engine = copy(url), copy(url)
    Alembic(undisturbed.url).upgrade("2.0.5")
    expected = catalog(undisturbed)
    names = [name for name in expected if name.startswith("index ") and name not in catalog(engine)]
    assert names

    with engine.begin() as connection:
        write_events(connection, 2)
    autocommit = connect(engine.url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    for name in [name.split(".")[1] for name in names]:
        with pytest.raises(Exception, match="could not create unique index"), autocommit.connect() as connection:
            connection.execute(
                text(f"CREATE UNIQUE INDEX CONCURRENTLY {name} ON analytics.analytics_events (event_source)")
            )
    assert not any(catalog(engine)[name]["valid"] for name in names)

    Alembic(engine.url).upgrade("2.0.5")
    assert catalog(engine) == expected
