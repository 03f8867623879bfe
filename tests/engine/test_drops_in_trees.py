"""What a step drops of partitions and of tables that inherit, after it has detached or attached them."""

import logging

import pytest

from tests.engine.test_data_loss import NEXT, ByHand, assert_refused, by_hand, left_over, run, sql

__all__ = ["by_hand"]

LOGS = """
    CREATE TABLE logs (id int, notes text) PARTITION BY RANGE (id);
    CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM (0) TO (100);
    CREATE TABLE plain (id int NOT NULL, notes text);
    CREATE TABLE whole (id int NOT NULL) PARTITION BY RANGE (id);
    CREATE TABLE parent (id int, notes text);
    CREATE TABLE child () INHERITS (parent)
"""
FILL = "INSERT INTO logs VALUES (1, 'x'); INSERT INTO plain VALUES (1, 'x'); INSERT INTO child VALUES (1, 'x')"
DETACH = "ALTER TABLE logs DETACH PARTITION logs_1"
ATTACH = "ALTER TABLE whole ATTACH PARTITION plain FOR VALUES FROM (0) TO (100)"
DROP_NOTES = "ALTER TABLE logs_1 DROP COLUMN notes"
DROP_PLAIN = "ALTER TABLE plain DROP COLUMN notes"

CASES: dict[str, tuple[list[str], str]] = {
    "a column of a detached partition": ([DETACH, DROP_NOTES], "public.logs_1.notes: holds values"),
    "and of its parent before": (
        [DETACH, "ALTER TABLE logs DROP COLUMN notes", DROP_NOTES],
        "public.logs.notes: holds values",  # looked at as it was before
    ),
    "a column of a table that inherits no longer": (
        ["ALTER TABLE child NO INHERIT parent", "ALTER TABLE child DROP COLUMN notes"],
        "public.child.notes: holds values",
    ),
    "a detached partition": ([DETACH, "DROP TABLE logs_1"], "public.logs_1: holds rows"),
    "and its parent before": ([DETACH, "DROP TABLE logs", "DROP TABLE logs_1"], "public.logs_1: holds rows"),
    "a column of a table that is attached then": ([f"{DROP_PLAIN}; {ATTACH}"], "public.plain.notes: holds values"),
    "a column of a table that was attached before": (
        ["ALTER TABLE whole ADD COLUMN notes text", ATTACH, "ALTER TABLE whole DROP COLUMN notes"],
        "public.plain.notes: holds values",
    ),
    "a column of a parent": (["ALTER TABLE parent DROP COLUMN notes"], "public.parent.notes: holds values"),
    "a table with its partitions": (["DROP TABLE logs"], "public.logs: holds rows"),
}


@pytest.fixture
def trees(by_hand: ByHand) -> ByHand:
    """On a database that has tables with partitions and tables that inherit."""
    run(by_hand.url, *LOGS.split(";"))
    return by_hand


@pytest.mark.parametrize("what", CASES)
def test_what_is_filled_is_refused(trees: ByHand, what: str) -> None:
    statements, loss = CASES[what]
    run(trees.url, FILL)
    trees.write("\n".join(map(sql, statements)))
    assert_refused(trees, loss)
    assert left_over(trees.url) == []


@pytest.mark.parametrize("what", CASES)
def test_what_holds_nothing_goes(trees: ByHand, what: str) -> None:
    trees.write("\n".join(map(sql, CASES[what][0]))).upgrade()
    assert run(trees.url, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert left_over(trees.url) == []


@pytest.mark.parametrize(
    ("statements", "declared", "loss"),
    [
        ([DETACH, DROP_NOTES], "public.logs_1.notes", "public.logs_1.notes: holds values"),
        ([DROP_PLAIN, ATTACH], "public.orders.plain", "public.plain.notes: holds values"),
        ([DETACH, "DROP TABLE logs", "DROP TABLE logs_1"], "public.orders.plain", "public.logs_1: holds rows"),
    ],
    ids=["itself", "another, and attached", "another, and detached"],
)
def test_what_is_filled_is_refused_whatever_is_declared(
    trees: ByHand, statements: list[str], declared: str, loss: str
) -> None:
    run(trees.url, FILL)
    trees.write("\n".join(map(sql, statements)), more=f'drops = {{"upgrade": ["{declared}"]}}')
    assert_refused(trees, loss)


def test_a_parent_and_its_partition_are_declared(trees: ByHand) -> None:
    trees.write(
        "\n".join(map(sql, [DETACH, DROP_NOTES, "ALTER TABLE logs DROP COLUMN notes"])),
        more='drops = {"upgrade": ["public.logs.notes", "public.logs_1.notes"]}',
    ).upgrade()
    assert run(trees.url, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert left_over(trees.url) == []


def test_a_table_that_is_attached_drops_nothing(trees: ByHand, caplog: pytest.LogCaptureFixture) -> None:
    run(trees.url, FILL, "ALTER TABLE whole ADD COLUMN notes text", "ANALYZE logs, logs_1, plain")
    trees.write(
        "\n".join(map(sql, [ATTACH, "DROP TABLE orders", "ALTER TABLE logs ALTER COLUMN notes TYPE varchar(9)"]))
    )
    with caplog.at_level(logging.WARNING, "alembic.online"):
        trees.upgrade()
    assert run(trees.url, "SELECT * FROM whole") == [(1, "x")]
    told = [message for message in caplog.messages if " rows" in message]
    assert told == [f"{NEXT} upgrade: public.logs.notes changes from text to character varying(9) in about 1 rows"]
