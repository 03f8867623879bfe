"""Declared columns that a step drops outside of its transaction, one by one: looked at each time, and then let go."""

from functools import partial

import pytest
from alembic_online import OnlineError

from tests.engine.test_data_loss import NEXT, ByHand, by_hand, left_over, run, sql
from tests.fixtures.ended import counted, once

__all__ = ["by_hand"]

DROP_PLAIN, DROP_DOCUMENT = (f"ALTER TABLE orders DROP COLUMN IF EXISTS {name}" for name in ("plain", "document"))
ONE_BY_ONE = f"with op.get_context().autocommit_block():\n    {sql(DROP_PLAIN)}\n    {sql(DROP_DOCUMENT)}"
DECLARED = 'drops = {"upgrade": ["public.orders.plain", "public.orders.document"]}'


def test_what_holds_nothing_goes(by_hand: ByHand) -> None:
    run(by_hand.url, "INSERT INTO orders (order_id) VALUES (1)")
    by_hand.write(ONE_BY_ONE, more=DECLARED).upgrade()
    assert run(by_hand.url, "SELECT version_num FROM alembic_version") == [(NEXT,)]
    assert left_over(by_hand.url) == []


def test_a_value_that_is_written_between_them(by_hand: ByHand) -> None:
    by_hand.write(ONE_BY_ONE, more=DECLARED)
    row = "INSERT INTO orders (order_id, document) VALUES (1, '{}')"
    behind = once("SET LOCAL lock_timeout", partial(run, by_hand.url, row))  # the next transaction, before its locks
    is_dropped = False

    def look(number: int, text: str) -> None:
        nonlocal is_dropped
        if is_dropped:
            behind(number, text)
        is_dropped = is_dropped or DROP_PLAIN in text

    with pytest.raises(OnlineError, match=r"public\.orders\.document: holds values"):
        counted(by_hand.upgrade, look)
    assert run(by_hand.url, "SELECT document::text FROM orders") == [("{}",)]
