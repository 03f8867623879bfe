"""Orders in which events are lost or doubled where one of the backfill's rules is broken, against the model."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine

from tests.backfill.test_model import Backfill
from tests.fixtures.databases import Clone

ORDERS: dict[str, Callable[[Backfill], list[object]]] = {
    "grown, corrected, loaded again, changed and moved again": lambda it: [
        it.load(name="a", more=[1, 1], bad=True, moved=False),
        it._loads_again("a"),
        it.update(number=1),
        it.run(),
        it.prove(),
    ],
    "killed in a load, in a run, and a day": lambda it: [
        it.kill_a_load(name="b", number=1, at=20),
        it.prove(),
        it._loads_again("b"),
        it.kill_a_run(at=30),
        it.daily(rows=2),
        it.run(),
        it.prove(),
    ],
    "finished, deleted, grown, finished again": lambda it: [
        it.finish(),
        it.delete(number=0, further="a"),
        it.load(name="a", more=[2], bad=False, moved=True),
        it.finish(),
    ],
    "finished, discarded, and loaded again": lambda it: [
        it.finish(),
        it.down(keep=False),
        it.upgrade(),
        it.run(),
        it._loads_again("a"),
        it.run(),
        it.prove(),
    ],
    "put aside, restored whole, and moved again": lambda it: [
        it.delete(number=0),
        it.load(name="b", more=[0], bad=False, moved=False),
        it.down(keep=True),
        it.upgrade(),
        it.restore(),
        it.resume(),
        it.run(),
        it.prove(),
    ],
    "deleted, and a further file of the same days": lambda it: [
        it.delete(number=1),
        it.load(name="b", more=[1, 1], bad=False, moved=True),
    ],
    "discarded, upgraded, written to, and moved again": lambda it: [
        it.down(keep=False),
        it.upgrade(),
        it.insert(number=1),
        it.prove(),
        it.finish(),
    ],
    "discarded, columns alone restored, and moved again": lambda it: [
        it.delete(number=1),
        it.down(keep=False),
        it.upgrade(),
        it.columns_there_and_back(),
        it.resume(),
        it.run(),
        it.prove(),
    ],
    "put aside, written to, loaded and restored": lambda it: [
        it.delete(number=2),
        it.down(keep=True),
        it.upgrade(),
        it.insert(number=1),
        it.load(name="b", more=[0, 1, 2], bad=False, moved=True),
        it.restore(),
        it.resume(),
        it.run(),
    ],
}


@pytest.mark.parametrize("order", list(ORDERS))
def test_orders_that_lose_or_double_events_where_a_rule_is_broken(
    order: str, clone: Clone, connect: Callable[[URL], Engine], tmp_path: Path
) -> None:
    class Here(Backfill):
        directory = tmp_path

        def make(self) -> Engine:  # type: ignore[override]
            return connect(clone("migrated_table"))

    it = Here()
    it.begin()
    ORDERS[order](it)
    it.the_table_holds_what_the_model_says()
    it.teardown()
