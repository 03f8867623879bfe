"""What a step drops: refused, kept or told, whoever wrote the revision and whatever it declares."""

import logging
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic_online import OnlineError
from sqlalchemy import URL

from tests.engine.catalog.test_mutations import HEAD, Revisions
from tests.fixtures.databases import Clone, conninfo

NEXT = f"{HEAD.rpartition('.')[0]}.{int(HEAD.rpartition('.')[2]) + 1}"

HEADER = f'''"""By hand.

Plan step: none
Why: a test
Reversed by: the opposite
"""

from alembic import op

revision = "{NEXT}"
down_revision = "{HEAD}"
branch_labels = None
depends_on = None
changes = {{"upgrade": [[]], "downgrade": [[]]}}  # all of it is other people's
'''

ORDERS = """
    CREATE TABLE public.orders (
        order_id bigint PRIMARY KEY,
        plain text,
        amount numeric DEFAULT 0,
        token uuid DEFAULT gen_random_uuid(),
        document json,
        twice numeric GENERATED ALWAYS AS (amount * 2) STORED
    )
"""


class ByHand(Revisions):
    """A revision written by hand on top of the newest."""

    def write(self, upgrade: str, downgrade: str = "pass", more: str = "") -> "ByHand":
        self.directory.mkdir(exist_ok=True)
        functions = {"upgrade": upgrade, "downgrade": downgrade}
        body = "".join(f"\n\n\ndef {name}() -> None:\n{_indented(code)}" for name, code in functions.items())
        (self.directory / "by_hand.py").write_text(HEADER + more + body, encoding="utf-8")
        return self


def _indented(body: str) -> str:
    return "".join(f"    {line}\n" for line in body.splitlines())


@pytest.fixture
def by_hand(clone: Clone, tmp_path: Path) -> ByHand:
    """On a migrated database that has a table of orders."""
    revision = ByHand(clone("migrated_table"), tmp_path / "versions", x=("deadline=20s",))
    run(revision.url, ORDERS)
    return revision


def run(url: URL, *statements: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        for statement in statements:
            cursor = connection.execute(statement)  # type: ignore[call-overload]
        return list(cursor.fetchall()) if cursor.rownumber is not None else []


def sql(statement: str) -> str:
    return f'op.execute("{statement}")'


ROW = "INSERT INTO orders (order_id) VALUES (1)"
DROPS = {
    "a table": ("DROP TABLE orders", ROW, "public.orders: holds rows"),
    "a table by way of Alembic": ("DROP TABLE IF EXISTS orders CASCADE", ROW, "public.orders: holds rows"),
    "a column": (
        "ALTER TABLE orders DROP COLUMN plain",
        "INSERT INTO orders (order_id, plain) VALUES (1, 'x')",
        "public.orders.plain: holds values",
    ),
    "a column with a default": (
        "ALTER TABLE orders DROP COLUMN amount CASCADE",
        "INSERT INTO orders (order_id, amount) VALUES (1, 3)",
        "public.orders.amount: holds values",
    ),
    "a column set to NULL against its default": (
        "ALTER TABLE orders DROP COLUMN amount CASCADE",
        "INSERT INTO orders (order_id, amount) VALUES (1, NULL)",
        "public.orders.amount: holds values",
    ),
    "a column with a volatile default": (
        "ALTER TABLE orders DROP COLUMN token",
        ROW,
        "public.orders.token: holds values",
    ),
    "a column of a type without equality": (
        "ALTER TABLE orders DROP COLUMN document",
        "INSERT INTO orders (order_id, document) VALUES (1, '{}')",
        "public.orders.document: holds values",
    ),
    "in a block of code": ("DO $$ BEGIN EXECUTE 'DROP ' || 'TABLE orders'; END $$", ROW, "public.orders: holds rows"),
    "a schema with it": (
        "DROP SCHEMA shop CASCADE",
        "CREATE SCHEMA shop; CREATE TABLE shop.orders AS SELECT 1 AS order_id",
        "shop.orders: holds rows",
    ),
    "a column of the type of a view that goes": (
        "DROP VIEW seen CASCADE",
        "CREATE VIEW seen AS SELECT 1 AS n; ALTER TABLE orders ADD COLUMN last seen;"
        " INSERT INTO orders (order_id, last) VALUES (1, ROW(1))",
        "public.orders.last: holds values",
    ),
    "a partition": (
        "DROP TABLE log_1",
        "CREATE TABLE log (id int) PARTITION BY RANGE (id); CREATE TABLE log_1 PARTITION OF log"
        " FOR VALUES FROM (1) TO (9); INSERT INTO log VALUES (1)",
        "public.log_1: holds rows",
    ),
}


OUTSIDE = pytest.mark.parametrize("outside", [False, True], ids=["in a transaction", "in an autocommit block"])


def placed(statement: str, outside: bool) -> str:
    return f"with op.get_context().autocommit_block():\n    {sql(statement)}" if outside else sql(statement)


def assert_refused(by_hand: ByHand, loss: str) -> None:
    before = everything(by_hand.url)
    with pytest.raises(OnlineError, match="would drop what cannot be computed again") as refused:
        by_hand.upgrade()
    _, lost, *so_far = refused.value.what.splitlines()
    assert lost == f"  {loss}"
    assert all(line.startswith(f"No step was applied; {NEXT} upgrade was not finished: ") for line in so_far)
    assert "-x discard-data=yes" in refused.value.next_step
    assert everything(by_hand.url) == before
    assert run(by_hand.url, "SELECT version_num FROM alembic_version") == [(HEAD,)]


@OUTSIDE
@pytest.mark.parametrize("what", DROPS)
def test_an_upgrade_that_drops_what_is_filled_is_refused(by_hand: ByHand, what: str, outside: bool) -> None:
    statement, filling, loss = DROPS[what]
    run(by_hand.url, filling)
    by_hand.write(placed(statement, outside))
    assert_refused(by_hand, loss)
    assert left_over(by_hand.url) == []


@pytest.mark.parametrize("what", ["a table", "a column set to NULL against its default", "a schema with it"])
def test_a_declared_drop_is_refused_before_the_first_step(by_hand: ByHand, what: str) -> None:
    statement, filling, loss = DROPS[what]
    run(by_hand.url, filling)
    name = loss.partition(":")[0]
    by_hand.write(sql(statement), more=f'drops = {{"upgrade": ["{name}"]}}')
    assert_refused(by_hand, loss)
    assert run(by_hand.url, "SELECT revision FROM sidb.step ORDER BY step_id DESC LIMIT 1") == [(HEAD,)]


@OUTSIDE
@pytest.mark.parametrize(
    ("statement", "filling"),
    [
        ("DROP TABLE orders", "SELECT 1"),
        ("ALTER TABLE orders DROP COLUMN plain", ROW),
        ("ALTER TABLE orders DROP COLUMN amount CASCADE", ROW),
        ("ALTER TABLE orders DROP COLUMN twice", ROW),
        ("ALTER TABLE orders DROP COLUMN document, DROP COLUMN token", "SELECT 1"),
        (
            "ALTER TABLE orders DROP COLUMN number",  # whose default gives another value each time: NULL is none
            "CREATE SEQUENCE numbers; ALTER TABLE orders ADD COLUMN number bigint;"
            " ALTER TABLE orders ALTER COLUMN number SET DEFAULT nextval('numbers');"
            " INSERT INTO orders (order_id, number) VALUES (1, NULL)",
        ),
        ("ALTER TABLE orders RENAME COLUMN token TO code", ROW),
        ("ALTER TABLE orders SET SCHEMA analytics; ALTER TABLE analytics.orders SET SCHEMA public", ROW),
    ],
)
def test_what_holds_nothing_goes(by_hand: ByHand, statement: str, filling: str, outside: bool) -> None:
    run(by_hand.url, filling)
    by_hand.write(placed(statement, outside)).upgrade()
    assert run(by_hand.url, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert left_over(by_hand.url) == []


@pytest.mark.parametrize("filled", [False, True])
@pytest.mark.parametrize("then", ["pass", f"with op.get_context().autocommit_block():\n    {sql('SELECT 1')}"])
def test_a_function_that_drops_is_found_out_before_the_commit(by_hand: ByHand, filled: bool, then: str) -> None:
    run(
        by_hand.url,
        "CREATE FUNCTION tidy() RETURNS void LANGUAGE plpgsql AS 'BEGIN DROP TABLE orders; END'",
        ROW if filled else "SELECT 1",
    )
    by_hand.write(f"{sql('SELECT tidy()')}\n{then}")
    if filled:
        with pytest.raises(OnlineError, match=r"public\.orders: holds rows"):
            by_hand.upgrade()
    else:
        by_hand.upgrade()
    assert run(by_hand.url, "SELECT to_regclass('orders') IS NULL") == [(not filled,)]


def test_a_drop_behind_what_is_committed_already_is_refused_without_beginning_anew(by_hand: ByHand) -> None:
    """The body could not be run again from its start: what it created is there."""
    run(by_hand.url, "INSERT INTO orders (order_id, plain) VALUES (1, 'x')")
    by_hand.write(
        sql("CREATE TABLE once (id int)")
        + "\nwith op.get_context().autocommit_block():\n    "
        + sql("CREATE INDEX CONCURRENTLY ON orders (plain)")
        + "\n"
        + sql("ALTER TABLE orders DROP COLUMN plain")
    )
    with pytest.raises(OnlineError, match=r"public\.orders\.plain: holds values"):
        by_hand.upgrade()
    run(by_hand.url, "UPDATE orders SET plain = NULL", "DROP TABLE once")
    by_hand.upgrade()
    assert run(by_hand.url, "SELECT version_num FROM alembic_version") == [(NEXT,)]


def test_a_function_that_drops_behind_what_is_committed_is_rolled_back(by_hand: ByHand) -> None:
    run(by_hand.url, ROW, "CREATE FUNCTION tidy() RETURNS void LANGUAGE sql AS 'DROP TABLE orders'")
    by_hand.write(placed("CREATE TABLE once (id int)", outside=True) + f"\n{sql('SELECT tidy()')}")
    with pytest.raises(
        OnlineError, match=r"drops public\.orders, and whether that holds data cannot be determined; it was r"
    ):
        by_hand.upgrade()
    assert run(by_hand.url, "SELECT count(*) FROM orders") == [(1,)]


def test_asked_to_discard_it_goes(by_hand: ByHand) -> None:
    run(by_hand.url, ROW)
    discarding = ByHand(by_hand.url, by_hand.directory, x=("deadline=20s", "discard-data=yes"))
    discarding.write(sql("DROP TABLE orders")).upgrade()
    assert run(by_hand.url, "SELECT to_regclass('orders')") == [(None,)]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("DELETE FROM orders", "deletes 3 rows of public.orders"),
        ("TRUNCATE orders", "empties public.orders of about 3 rows"),
        (
            "ALTER TABLE orders ALTER COLUMN plain TYPE varchar(1) USING left(plain, 1)",
            "public.orders.plain changes from text to character varying(1) in about 3 rows",
        ),
    ],
)
def test_rows_that_a_step_takes_are_told(
    by_hand: ByHand, statement: str, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    run(
        by_hand.url,
        "INSERT INTO orders (order_id, plain) SELECT n, 'long' FROM generate_series(1, 3) AS n",
        "ANALYZE orders",
    )
    by_hand.write(sql(statement))
    with caplog.at_level(logging.WARNING, "alembic.online"):
        by_hand.upgrade()
    assert [message for message in caplog.messages if " rows" in message] == [f"{NEXT} upgrade: {said}"]


def test_a_step_that_takes_nothing_tells_nothing(by_hand: ByHand, caplog: pytest.LogCaptureFixture) -> None:
    run(by_hand.url, ROW, "ANALYZE orders", "CREATE TABLE bare (id int)")
    by_hand.write(sql("UPDATE orders SET plain = 'x'; ALTER TABLE orders ADD COLUMN more text; TRUNCATE bare"))
    with caplog.at_level(logging.WARNING, "alembic.online"):
        by_hand.upgrade()
    assert not [message for message in caplog.messages if "rows" in message]


def test_a_revision_that_does_not_say_what_it_changes_is_not_begun(by_hand: ByHand) -> None:
    by_hand.write("pass")
    path = by_hand.directory / "by_hand.py"
    path.write_text(path.read_text(encoding="utf-8").replace("changes =", "unsaid ="), encoding="utf-8")
    with pytest.raises(OnlineError, match="does not say what its upgrade changes"):
        by_hand.upgrade()
    assert run(by_hand.url, "SELECT version_num FROM alembic_version") == [(HEAD,)]


def everything(url: URL) -> list[tuple[Any, ...]]:
    return run(
        url,
        "SELECT table_schema, table_name, column_name FROM information_schema.columns"
        " WHERE table_schema IN ('public', 'shop') ORDER BY 1, 2, 3",
    )


def left_over(url: URL) -> list[tuple[Any, ...]]:
    """The triggers that follow columns."""
    return run(url, "SELECT tgrelid::regclass::text FROM pg_trigger WHERE tgname = 'alembic_online_following'")
