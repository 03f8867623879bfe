"""A generated column holds nothing that anybody wrote: it goes, whatever becomes of data."""

from pathlib import Path

import pytest

from operations import upgrade
from tests.engine.catalog.test_mutations import HEAD
from tests.engine.test_data_loss import ORDERS, ByHand, run, sql
from tests.fixtures.databases import Clone
from tests.operations.rollback.conftest import roll_back

FILLED = "INSERT INTO orders (order_id, amount) VALUES (1, 3)"
THERE = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'orders'::regclass AND attname = 'double'"
WAYS = ("refuse", "discard", "roll back")


def is_virtual_known(url: object) -> bool:
    [(number,)] = run(url, "SELECT current_setting('server_version_num')::integer")  # type: ignore[arg-type]
    return number >= 180000


@pytest.mark.parametrize("declared", [["public.orders.double"], []], ids=["declared", "not declared"])
@pytest.mark.parametrize("kind", ["STORED", "VIRTUAL"])
@pytest.mark.parametrize("way", WAYS)
def test_a_generated_column_goes(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, kind: str, declared: list[str]
) -> None:
    x = ("deadline=20s", "discard-data=yes") if way == "discard" else ("deadline=20s",)
    by_hand = ByHand(clone("migrated_table"), tmp_path / "versions", x=x)
    if kind == "VIRTUAL" and not is_virtual_known(by_hand.url):
        pytest.skip("PostgreSQL 18 brought them")
    run(by_hand.url, ORDERS, FILLED)
    more = f'drops = {{"downgrade": {declared}}}\n'.replace("'", '"')
    by_hand.write("pass", sql("ALTER TABLE public.orders DROP COLUMN double"), more=more).upgrade()
    run(by_hand.url, f"ALTER TABLE orders ADD COLUMN double numeric GENERATED ALWAYS AS (amount * 2) {kind}")
    if way == "roll back":
        monkeypatch.setattr(upgrade, "_config", by_hand.config)
        roll_back(by_hand.url, HEAD)
    else:
        by_hand.downgrade("-1")
    assert run(by_hand.url, THERE) == [(0,)]
    assert run(by_hand.url, "SELECT amount FROM orders") == [(3,)]
