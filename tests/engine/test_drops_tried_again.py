"""What a step drops in a second try is looked at again: what was judged in the first went with its locks."""

import re
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg
import pytest
from alembic_online import OnlineError
from sqlalchemy import URL

from operations import upgrade
from tests.engine.catalog.test_mutations import HEAD
from tests.engine.conftest import ledger
from tests.engine.test_data_loss import ORDERS, ROW, ByHand, left_over, run, sql
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.ended import counted
from tests.operations.rollback.conftest import roll_back

NOTES = """
    CREATE TABLE public.busy (id int PRIMARY KEY);
    CREATE TABLE public.notes (id int REFERENCES busy);
    CREATE TABLE public.calm (id int PRIMARY KEY);
    CREATE TABLE public.more (id int REFERENCES calm)
"""
DROP_PLAIN = "ALTER TABLE public.orders DROP COLUMN plain"
TAKES_OFF = r"SQL\('DROP TRIGGER IF EXISTS '\)"
LOCKS_MORE = r"^Composed.*LOCK TABLE .*more"
PLAIN = 'drops = {"upgrade": ["public.orders.plain"]}\n'


@pytest.fixture
def by_hand(clone: Clone, tmp_path: Path) -> ByHand:
    """On a migrated database with a table of orders, and one that is busy and that others refer to."""
    revision = ByHand(clone("migrated_table"), tmp_path / "versions", x=("deadline=20s",))
    run(revision.url, ORDERS, NOTES, ROW)
    return revision


def block(*statements: str) -> str:
    """The statements in an autocommit block."""
    return "\n    ".join(["with op.get_context().autocommit_block():", *map(sql, statements)])


def before(acts: dict[tuple[str, int], Callable[[], object]]) -> Callable[[int, str], None]:
    """For `counted`: act before the n-th statement that is like a pattern."""
    seen: Counter[str] = Counter()

    def look(_: int, statement: str) -> None:
        for pattern in {pattern for pattern, _ in acts if re.search(pattern, statement)}:
            seen[pattern] += 1
            if act := acts.get((pattern, seen[pattern])):
                act()

    return look


class Writer:
    """Writes in between, where no lock keeps it from that; it knows whether it could."""

    def __init__(self, url: URL, statement: str) -> None:
        self.url, self.statement = url, statement
        self.could: bool | None = None

    def __call__(self) -> None:
        with psycopg.connect(conninfo(self.url), autocommit=True) as connection:
            try:
                connection.execute("SET lock_timeout = '50ms'")
                connection.execute(self.statement.encode())
                self.could = True
            except psycopg.errors.LockNotAvailable:
                self.could = False


def late(by_hand: ByHand) -> Writer:
    return Writer(by_hand.url, "UPDATE orders SET plain = 'late'")


def assert_kept_or_never_written(by_hand: ByHand, write: Writer, pattern: str, number: int = 1) -> None:
    try:
        counted(by_hand.upgrade, before({(pattern, number): write}))
    except OnlineError as refused:
        assert "public.orders.plain: holds values" in refused.what  # noqa: PT017 - it need not be raised
        assert run(by_hand.url, "SELECT plain FROM orders") == [("late",)]
    else:
        assert write.could is False, "a value that was committed is gone"
    assert left_over(by_hand.url) == []


def test_a_table_that_was_empty_at_the_first_try(by_hand: ByHand) -> None:
    """It was judged under its lock; then what it refers to could not be locked, and all of that was undone."""
    by_hand.write(block("DROP TABLE public.notes"))
    with psycopg.connect(conninfo(by_hand.url)) as busy:

        def hold() -> None:
            busy.execute("SET lock_timeout = '1s'; LOCK TABLE busy IN ROW SHARE MODE")

        def insert() -> None:
            busy.execute("INSERT INTO busy VALUES (1); INSERT INTO notes VALUES (1)")
            busy.commit()

        with pytest.raises(OnlineError, match=r"public\.notes: holds rows"):
            counted(by_hand.upgrade, before({("^DROP TABLE public.notes", 2): hold, ("^DROP TABLE", 3): insert}))
    assert run(by_hand.url, "SELECT count(*) FROM notes") == [(1,)]


def test_a_column_of_which_no_step_said_that_it_goes(by_hand: ByHand) -> None:
    by_hand.write(block(DROP_PLAIN))
    assert_kept_or_never_written(by_hand, late(by_hand), TAKES_OFF)


@pytest.mark.parametrize("pattern", [TAKES_OFF, "LOCK TABLE .*ACCESS EXCLUSIVE", "SELECT 2"])
@pytest.mark.parametrize("first", ["pass", sql("SELECT 1")], ids=["at once", "after a transaction"])
def test_a_column_that_goes_outside_of_the_transaction(by_hand: ByHand, first: str, pattern: str) -> None:
    """What the step's transaction found in it was found before that was committed."""
    by_hand.write(f"{first}\n{block('SELECT 2', DROP_PLAIN)}", more=PLAIN)
    assert_kept_or_never_written(by_hand, late(by_hand), pattern)


def test_columns_that_go_outside_of_the_transaction(by_hand: ByHand) -> None:
    drops = 'drops = {"upgrade": ["public.orders.plain", "public.orders.document", "public.notes"]}\n'
    by_hand.write(block(DROP_PLAIN, "DROP TABLE public.notes", "ALTER TABLE orders DROP COLUMN document"), more=drops)
    by_hand.upgrade()
    assert run(by_hand.url, "SELECT to_regclass('notes')") == [(None,)]
    assert left_over(by_hand.url) == []


@pytest.fixture
def rolled_back(by_hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """``rolled_back(downgrade)`` upgrades, and is what rolls that back."""

    def make(downgrade: str) -> None:
        by_hand.write("pass", downgrade).upgrade()
        monkeypatch.setattr(upgrade, "_config", by_hand.config)

    return make


def test_tables_of_which_one_was_kept_at_the_first_try(by_hand: ByHand, rolled_back: Callable[[str], None]) -> None:
    """The first had moved into the archive when the second was locked; both moves were undone."""
    rolled_back(block("DROP TABLE public.more, public.notes"))
    run(by_hand.url, "INSERT INTO busy VALUES (1); INSERT INTO notes VALUES (1)")
    run(by_hand.url, "INSERT INTO calm VALUES (1); INSERT INTO more VALUES (1)")
    with psycopg.connect(conninfo(by_hand.url)) as busy:

        def hold() -> None:
            busy.execute("SET lock_timeout = '1s'; LOCK TABLE busy IN ROW SHARE MODE")

        acts = {(r"SET SCHEMA", 2): hold, ("^DROP TABLE", 2): busy.commit}
        counted(lambda: roll_back(by_hand.url, HEAD), before(acts))
    for table in ("notes", "more"):
        assert run(by_hand.url, f"SELECT count(*) FROM sidb_archive_1.{table}") == [(1,)]  # noqa: S608


def test_no_lock_is_held_while_another_is_waited_for(by_hand: ByHand) -> None:
    """A table of which no step said that it goes is locked last, and after a miss with all others."""
    by_hand.write(
        f"{sql('ALTER TABLE public.busy ADD COLUMN n int')}\n{sql('DROP TABLE public.more')}",
        more='locks = {"upgrade": {"public.busy": "AccessExclusiveLock"}}\n',
    )
    read = Writer(by_hand.url, "SELECT FROM busy")
    with psycopg.connect(conninfo(by_hand.url)) as reader:

        def hold() -> None:
            reader.execute("SET lock_timeout = '1s'; LOCK TABLE more IN ACCESS SHARE MODE")

        def look() -> None:
            read()
            reader.commit()

        counted(by_hand.upgrade, before({(LOCKS_MORE, 1): hold, (LOCKS_MORE, 2): look}))
    assert read.could
    assert run(by_hand.url, "SELECT to_regclass('more')") == [(None,)]


def test_a_table_that_gets_another_name_at_each_try(by_hand: ByHand) -> None:
    """As archiving does, by the clock: what goes is known by what it is, and at the second try nothing is new."""
    rename = "EXECUTE 'ALTER TABLE orders RENAME TO orders_' || (SELECT pg_current_xact_id())"
    drop = "EXECUTE 'ALTER TABLE ' || (SELECT oid::regclass FROM pg_class WHERE relname ~ '^orders_[0-9]+$')"
    bodies = rename, f"{drop} || ' DROP COLUMN plain'"
    by_hand.write("\n".join(sql(f"DO $$ BEGIN {body}; END $$") for body in bodies))
    by_hand.upgrade()
    assert [entry.outcome for entry in ledger(by_hand.url)][-2:] == ["missed", "applied"]


def test_tries_that_each_find_something_new_end_with_the_deadline(by_hand: ByHand, tmp_path: Path) -> None:
    hurried = ByHand(by_hand.url, tmp_path / "versions", x=("deadline=1s",))
    newest = "(SELECT max(oid)::regclass FROM pg_class WHERE relname ~ '^batch_[0-9]+$')"
    hurried.write(sql(f"DO $$ BEGIN EXECUTE 'ALTER TABLE ' || {newest} || ' DROP COLUMN plain'; END $$"))
    numbers = count()

    def make(_: int, statement: str) -> None:
        if statement.startswith("DO $$"):
            run(by_hand.url, f"CREATE TABLE batch_{next(numbers)} (plain text)")

    with pytest.raises(OnlineError, match=r"drops public\.batch_\d+\.plain, and whether that holds data cannot be det"):
        counted(hurried.upgrade, make)
    assert ledger(by_hand.url)[-1].outcome == "failed"
    assert left_over(by_hand.url) == []
