"""What a revision says can be computed again: it goes at once, by the name that it has by then."""

from pathlib import Path

import pytest
from alembic_online import OnlineError

from tests.engine.test_data_loss import HEAD, ByHand, run, sql
from tests.fixtures.databases import Clone

COMPUTED = 'computed = ("public.gone",)\n'
TABLE = "CREATE TABLE public.orders (n int); INSERT INTO orders VALUES (1); CREATE SEQUENCE runs"
DROP = "DO $x$ BEGIN PERFORM nextval('runs'); DROP TABLE public.{}; END $x$"


@pytest.fixture
def by_hand(clone: Clone, tmp_path: Path) -> ByHand:
    """A step that commits on its way, so that it cannot be run again from its start."""
    revision = ByHand(clone("migrated_table"), tmp_path / "versions", x=("deadline=20s",))
    run(revision.url, TABLE)
    return revision


def upgrade(name: str) -> str:
    committed = f"with op.get_context().autocommit_block():\n    {sql('CREATE TABLE public.committed ()')}"
    renamed = sql("ALTER TABLE public.orders RENAME TO gone")
    return "\n".join([committed, renamed, sql(DROP.format(name))])


def test_the_statement_that_drops_it_is_run_once(by_hand: ByHand) -> None:
    by_hand.write(upgrade("gone"), more=COMPUTED).upgrade()
    assert run(by_hand.url, "SELECT last_value, to_regclass('gone') IS NULL FROM runs") == [(1, True)]


@pytest.mark.parametrize("drops", ["", 'drops = {"upgrade": ["public.orders.n"]}\n'])
def test_a_column_of_it_goes_with_its_values(by_hand: ByHand, drops: str) -> None:
    computed = COMPUTED.replace("gone", "orders")
    by_hand.write(sql("ALTER TABLE public.orders DROP COLUMN n"), more=computed + drops).upgrade()
    assert run(by_hand.url, "SELECT to_jsonb(o) FROM orders AS o") == [({},)]


def test_a_table_of_another_name_is_not_meant(by_hand: ByHand) -> None:
    by_hand.write(upgrade("gone"), more=COMPUTED.replace("gone", "orders"))
    with pytest.raises(OnlineError, match="holds rows"):
        by_hand.upgrade()
    assert run(by_hand.url, "SELECT count(*) FROM orders") == [(1,)]
    assert run(by_hand.url, "SELECT version_num FROM alembic_version") == [(HEAD,)]
