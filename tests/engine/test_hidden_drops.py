"""What a function dropped earlier in the step's transaction cannot be looked at when another statement drops more."""

from dataclasses import replace

import psycopg
import pytest
from alembic_online import OnlineError, parts

from tests.engine.test_data_loss import NEXT, ByHand, by_hand, placed, run, sql
from tests.fixtures.databases import conninfo

__all__ = ["by_hand"]

FUNCTION = "CREATE FUNCTION tidy() RETURNS void LANGUAGE sql AS 'ALTER TABLE orders DROP COLUMN plain'"
HIDDEN = f"{sql('SELECT tidy()')}\n{sql('DROP TABLE a')}"


@pytest.fixture
def hidden(by_hand: ByHand) -> ByHand:
    """On a database that has a function that drops a column of orders, and a table that holds nothing."""
    run(by_hand.url, FUNCTION, "CREATE TABLE a (id int)", "INSERT INTO orders (order_id) VALUES (1)")
    return by_hand


def test_behind_what_is_committed_it_is_rolled_back(hidden: ByHand) -> None:
    run(hidden.url, "UPDATE orders SET plain = 'x'")
    hidden.write(f"{placed('CREATE TABLE once (id int)', outside=True)}\n{HIDDEN}")
    with pytest.raises(OnlineError, match=r"drops public\.orders\.plain, and whether that holds data cannot be det"):
        hidden.upgrade()
    assert run(hidden.url, "SELECT plain FROM orders") == [("x",)]


@pytest.mark.parametrize("is_filled", [False, True])
def test_otherwise_it_is_looked_at_in_another_attempt(hidden: ByHand, is_filled: bool) -> None:
    hidden.write(HIDDEN)
    if is_filled:
        run(hidden.url, "UPDATE orders SET plain = 'x'")
        with pytest.raises(OnlineError, match=r"public\.orders\.plain: holds values"):
            hidden.upgrade()
        assert run(hidden.url, "SELECT plain FROM orders") == [("x",)]
    else:
        hidden.upgrade()
        assert run(hidden.url, "SELECT version_num, to_regclass('a') FROM alembic_version") == [(NEXT, None)]


def test_a_column_that_is_gone_is_not_said_to_hold_nothing(by_hand: ByHand) -> None:
    with psycopg.connect(conninfo(by_hand.url)) as connection:
        (plain,) = parts.named(connection, ["public.orders.plain"])
        (twice,) = connection.execute(
            "SELECT attnum FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'twice'"
        ).fetchone() or (0,)
        assert not parts.holds(connection, replace(plain, attnum=twice, column_name="twice"))  # it is generated
        connection.execute("ALTER TABLE orders DROP COLUMN plain")
        with pytest.raises(OnlineError, match=r"public\.orders\.plain is gone, and whether it held data cannot be"):
            parts.holds(connection, plain)
