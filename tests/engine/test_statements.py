"""However a revision has SQLAlchemy execute a statement, the engine runs it: behind the locks, and looked at."""

from pathlib import Path

import psycopg
import pytest
from alembic_online import OnlineError

from tests.engine.conftest import ledger
from tests.engine.test_data_loss import ORDERS, ROW, ByHand, run, sql
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.logs import when_told

UPDATE = "UPDATE public.customers SET name = 'x' WHERE id = "
WAYS = {
    "one": f'bind.execute(sa.text("{UPDATE} :id"), {{"id": 1}})',
    "many": f'bind.execute(sa.text("{UPDATE} :id"), [{{"id": 1}}, {{"id": 2}}])',
    "bulk insert": 'op.bulk_insert(sa.table("customers", sa.column("id")), [{"id": 3}, {"id": 4}])',
    "without parameters": f'bind.exec_driver_sql("{UPDATE} 1", execution_options={{"no_parameters": True}})',
}
WITHOUT = 'op.get_bind().exec_driver_sql("{}", execution_options={{"no_parameters": True}})'
LOCKS = 'locks = {"upgrade": {"public.orders": "AccessExclusiveLock"}}\n'
WRITES = "SELECT count(*) FROM pg_locks WHERE relation = 'customers'::regclass AND mode = 'RowExclusiveLock'"


@pytest.fixture
def by_hand(clone: Clone, tmp_path: Path) -> ByHand:
    """On a migrated database that has a table of orders, and one of customers."""
    revision = ByHand(clone("migrated_table"), tmp_path / "versions", x=("deadline=20s",))
    run(revision.url, ORDERS, ROW, "CREATE TABLE public.customers (id int PRIMARY KEY, name text)")
    run(revision.url, "INSERT INTO customers VALUES (1), (2)")
    return revision


def statement(way: str) -> str:
    return f"import sqlalchemy as sa\nbind = op.get_bind()\n{WAYS[way]}"


@pytest.mark.parametrize("way", WAYS)
def test_rows_are_not_locked_while_the_step_waits_for_its_tables(by_hand: ByHand, way: str) -> None:
    by_hand.write(f"{statement(way)}\n{sql('ALTER TABLE public.orders ADD COLUMN n int')}", more=LOCKS)
    found = []
    with psycopg.connect(conninfo(by_hand.url)) as reader:
        reader.execute("SELECT FROM orders")

        def look() -> None:
            found.extend(run(by_hand.url, WRITES))
            reader.commit()

        with when_told("blocked by", look):
            by_hand.upgrade()
    assert found == [(0,)]
    assert ledger(by_hand.url)[-1].rows_changed == (1 if way in ("one", "without parameters") else 2)


@pytest.mark.parametrize("way", WAYS)
def test_rows_that_are_changed_outside_of_the_transaction_are_on_record(by_hand: ByHand, way: str) -> None:
    body = "\n    ".join(["with op.get_context().autocommit_block():", *statement(way).splitlines()])
    by_hand.write(body).upgrade()
    assert ledger(by_hand.url)[-1].rows_changed == (1 if way in ("one", "without parameters") else 2)


@pytest.mark.parametrize("outside", [False, True], ids=["in a transaction", "in an autocommit block"])
def test_a_drop_without_parameters_is_refused(by_hand: ByHand, outside: bool) -> None:
    drop = WITHOUT.format("DROP TABLE public.orders")
    by_hand.write(f"with op.get_context().autocommit_block():\n    {drop}" if outside else drop)
    with pytest.raises(OnlineError, match=r"public\.orders: holds rows"):
        by_hand.upgrade()
    assert run(by_hand.url, "SELECT count(*) FROM orders") == [(1,)]


def test_a_declared_drop_without_parameters(by_hand: ByHand) -> None:
    drop = WITHOUT.format("ALTER TABLE public.orders DROP COLUMN plain")
    by_hand.write(drop, more='drops = {"upgrade": ["public.orders.plain"]}\n').upgrade()
    assert run(by_hand.url, "SELECT count(*) FROM pg_attribute WHERE attname = 'plain'") == [(0,)]
