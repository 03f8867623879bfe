"""A value that is written into a column while a step is about to drop it: noticed, whoever writes it, and however."""

import re
from pathlib import Path

import psycopg
import pytest
from alembic_online import OnlineError

from tests.engine.conftest import ledger
from tests.engine.test_data_loss import ORDERS, ROW, ByHand, left_over, run, sql
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.ended import counted
from tests.fixtures.logs import when_told


@pytest.fixture
def by_hand(clone: Clone, tmp_path: Path) -> ByHand:
    """On a migrated database that has a table of orders."""
    revision = ByHand(clone("migrated_table"), tmp_path / "versions", x=("deadline=20s",))
    run(revision.url, ORDERS)
    return revision


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET plain = 'late'",
        "INSERT INTO orders (order_id, plain) VALUES (2, 'late')",
        "INSERT INTO old_orders (order_id, plain) VALUES (2, 'late')",  # of which the trigger sees no row
    ],
)
def test_a_value_written_while_the_step_waits_is_not_lost(by_hand: ByHand, statement: str) -> None:
    """The rows were read before; a writer who comes while the step asks for its lock is noticed all the same."""
    run(by_hand.url, ROW, "CREATE TABLE old_orders () INHERITS (orders)")
    by_hand.write(sql("ALTER TABLE orders DROP COLUMN plain"), more='drops = {"upgrade": ["public.orders.plain"]}')
    with psycopg.connect(conninfo(by_hand.url)) as writer:
        writer.execute("SELECT FROM orders")  # in the way of the step's lock, not of the trigger's

        def write() -> None:
            writer.execute(f"SET LOCAL session_replication_role = replica; {statement}".encode())
            writer.commit()

        with when_told("blocked by", write), pytest.raises(OnlineError, match=r"orders\.plain: holds values"):
            by_hand.upgrade()
    assert run(by_hand.url, "SELECT plain FROM orders WHERE plain IS NOT NULL") == [("late",)]
    assert left_over(by_hand.url) == []


BELOW = {
    "a table that inherits": (
        "orders",
        "CREATE TABLE older () INHERITS (orders)",
        "INSERT INTO older (order_id, plain) VALUES (2, 'late')",
    ),
    "a partition": (
        "log",
        "CREATE TABLE log (order_id int, plain text) PARTITION BY RANGE (order_id); CREATE TABLE half PARTITION OF log"
        " FOR VALUES FROM (1) TO (9) PARTITION BY RANGE (order_id); CREATE TABLE quarter PARTITION OF half DEFAULT",
        "INSERT INTO log (order_id, plain) VALUES (2, 'late')",
    ),
}


@pytest.mark.parametrize("below", BELOW)
def test_nor_is_one_that_is_written_into_a_table_below_it(by_hand: ByHand, below: str) -> None:
    table, made, statement = BELOW[below]
    run(by_hand.url, made)
    by_hand.write(
        sql(f"ALTER TABLE {table} DROP COLUMN plain"), more=f'drops = {{"upgrade": ["public.{table}.plain"]}}'
    )
    with psycopg.connect(conninfo(by_hand.url)) as writer:
        writer.execute(f"SELECT FROM {table}".encode())

        def write() -> None:
            writer.execute(statement.encode())
            writer.commit()

        with when_told("blocked by", write), pytest.raises(OnlineError, match=rf"{table}\.plain: holds values"):
            by_hand.upgrade()
    assert run(by_hand.url, f"SELECT plain FROM {table} WHERE plain IS NOT NULL") == [("late",)]  # noqa: S608
    assert left_over(by_hand.url) == []


PAST = {
    "a filled partition is attached": (
        "CREATE TABLE late (order_id int, plain text)",
        "INSERT INTO late VALUES (12, 'late')",
        "ALTER TABLE log ATTACH PARTITION late FOR VALUES FROM (10) TO (20)",
    ),
    "a partition is filled while it is detached": (
        "ALTER TABLE log DETACH PARTITION half",
        "INSERT INTO half VALUES (2, 'late')",
        "ALTER TABLE log ATTACH PARTITION half FOR VALUES FROM (1) TO (9)",
    ),
    "a partition is filled while its triggers are off": (
        "ALTER TABLE half DISABLE TRIGGER ALL",
        "INSERT INTO half VALUES (2, 'late')",
        "ALTER TABLE half ENABLE TRIGGER ALL",
    ),
}


@pytest.mark.parametrize("past", PAST)
def test_nor_is_one_that_comes_past_the_trigger(by_hand: ByHand, past: str) -> None:
    run(
        by_hand.url,
        "CREATE TABLE log (order_id int, plain text) PARTITION BY RANGE (order_id)",
        "CREATE TABLE half PARTITION OF log FOR VALUES FROM (1) TO (9)",
    )
    by_hand.write(sql("ALTER TABLE log DROP COLUMN plain"), more='drops = {"upgrade": ["public.log.plain"]}')
    with psycopg.connect(conninfo(by_hand.url)) as reader:
        reader.execute("SELECT FROM log WHERE false")

        def write() -> None:
            for statement in PAST[past]:
                reader.execute(statement.encode())
            reader.commit()

        with when_told("blocked by", write), pytest.raises(OnlineError, match=r"log\.plain: holds values"):
            by_hand.upgrade()
    assert run(by_hand.url, "SELECT plain FROM log") == [("late",)]
    assert left_over(by_hand.url) == []


JOBS = (
    "CREATE TABLE jobs (id int, body text, taken_by text)",
    "INSERT INTO jobs SELECT i, repeat('x', 300) FROM generate_series(1, 40000) AS i",
)
TAKEN = "UPDATE jobs SET taken_by = 'w' WHERE id = 7; UPDATE jobs SET taken_by = NULL WHERE id = 7"


@pytest.mark.parametrize("how_often", [1, 100])
def test_a_large_table_is_not_read_while_everybody_waits(by_hand: ByHand, how_often: int) -> None:
    """A worker sets a value and clears it: the step gives its locks up and reads beforehand, but not for ever."""
    run(by_hand.url, *JOBS)
    by_hand.write(sql("ALTER TABLE jobs DROP COLUMN taken_by"), more='drops = {"upgrade": ["public.jobs.taken_by"]}')
    left = iter(range(how_often))

    def take(_: int, statement: str) -> None:
        if re.search("LOCK TABLE .*jobs.* ACCESS EXCLUSIVE", statement) and next(left, None) is not None:
            run(by_hand.url, TAKEN)

    if how_often == 1:
        counted(by_hand.upgrade, take)
        *_, missed, applied = ledger(by_hand.url)
        assert (missed.outcome, applied.outcome) == ("missed", "applied")
        assert missed.message == "values were written into public.jobs.taken_by after it was read"
    else:
        with pytest.raises(OnlineError, match=r"written into public\.jobs\.taken_by each time"):
            counted(by_hand.upgrade, take)
        assert run(by_hand.url, "SELECT count(taken_by) FROM jobs") == [(0,)]
    assert left_over(by_hand.url) == []
