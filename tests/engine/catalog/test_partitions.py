"""Indexes, keys and foreign keys of a partitioned table, as a generated revision builds them in a database whose
partitions it did not know."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import Engine, event

from tests.engine.catalog.pairs import Pair
from tests.engine.catalog.pairs.partitioned import INDEX, KEY, REFERENCE, P, T
from tests.engine.catalog.test_pairs import of
from tests.fixtures.databases import conninfo
from tests.fixtures.small_project import SmallProject, execute

PAIR = Pair("index", T, "", INDEX)
MONTH = "CREATE TABLE shop.items_{0} PARTITION OF shop.items FOR VALUES FROM ('{0}-01-01') TO ('{1}-01-01');"
ROW = "INSERT INTO shop.items VALUES (1, '2027-02-01', 'c', 'here', 1)"
INDEXES = """
    SELECT i.indrelid::regclass::text, pg_get_indexdef(i.indexrelid), i.indisvalid, h.inhparent::regclass::text
    FROM pg_index AS i LEFT JOIN pg_inherits AS h ON h.inhrelid = i.indexrelid
    WHERE i.indrelid IN (SELECT relid FROM pg_partition_tree('shop.items'))
"""
CONSTRAINTS = {
    "unique key": Pair("key", T, "", "ALTER TABLE shop.items ADD CONSTRAINT one UNIQUE (id, day, place)"),
    "primary key": Pair(
        "key",
        T + "ALTER TABLE shop.items ALTER n SET NOT NULL, ALTER id SET NOT NULL;",
        KEY,
        "ALTER TABLE shop.items ADD PRIMARY KEY (n, day, place)",
    ),
    "foreign key": Pair("reference", T + P, "", REFERENCE),
    "foreign key of other behaviour": Pair("reference", T + P, REFERENCE, f"{REFERENCE} ON DELETE CASCADE"),
}
"""What each partition has by itself before the table takes it over."""
OF_PARTITIONS = """
    SELECT c.relname, pg_get_constraintdef(k.oid), k.convalidated, parent.conrelid::regclass::text
    FROM pg_constraint AS k
    INNER JOIN pg_class AS c ON c.oid = k.conrelid
    LEFT JOIN pg_constraint AS parent ON parent.oid = k.conparentid
    WHERE k.conrelid IN (SELECT relid FROM pg_partition_tree('shop.items')) AND k.contype IN ('u', 'p', 'f')
    ORDER BY 1, 2
"""

FILES = """
    SELECT c.relname, pg_relation_filenode(c.oid) FROM pg_index AS i INNER JOIN pg_class AS c ON c.oid = i.indexrelid
    WHERE i.indrelid IN (SELECT relid FROM pg_partition_tree('shop.items')) AND c.relkind = 'i'
    AND NOT EXISTS (SELECT FROM pg_index AS other WHERE other.indrelid = i.indrelid AND other.indexrelid > i.indexrelid)
    ORDER BY 1
"""
"""The newest index of each partition."""


class KilledError(Exception):
    """The process ended here."""


def indexes(engine: Engine) -> list[tuple[str, bool, bool]]:
    """Of each table: which there is, whether it is valid, and whether it is a part of another one."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(INDEXES).all()
    assert all(" USING btree (code)" in definition for _, definition, _, _ in rows)
    return sorted((table, valid, parent is not None) for table, _, valid, parent in rows)


def whole(*more: str) -> list[tuple[str, bool, bool]]:
    tables = ["shop.items", "shop.items_old", "shop.items_new", 'shop."Items: here"', *more]
    return sorted((table, True, table != "shop.items") for table in tables)


@pytest.fixture
def project(empty: Engine, tmp_path: Path) -> SmallProject:
    """With a revision that is to build the index, and a partition that was not there when it was written."""
    made = of(PAIR, empty, tmp_path)
    made.revise()
    with empty.begin() as connection:
        execute(connection, f"{MONTH.format(2027, 2028)} {ROW}")
    return made


def during(engine: Engine, act: Callable[[int, str], None]) -> Callable[[], None]:
    numbers = count(1)

    def before(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        act(next(numbers), statement)

    event.listen(engine, "before_cursor_execute", before)
    return lambda: event.remove(engine, "before_cursor_execute", before)


def test_each_partition_has_it(project: SmallProject) -> None:
    project.run(command.upgrade, "head")
    assert indexes(project.engine) == whole("shop.items_2027")
    project.run(command.downgrade, "base")
    assert indexes(project.engine) == []


def test_a_partition_that_comes_meanwhile_has_it(project: SmallProject) -> None:
    done = []

    def come(_number: int, statement: str) -> None:
        if "CONCURRENTLY" in statement and not done:
            done.append(statement)
            with psycopg.connect(conninfo(project.engine.url)) as other:
                other.execute(MONTH.format(2028, 2029).encode())

    end = during(project.engine, come)
    project.run(command.upgrade, "head")
    end()
    assert done
    assert indexes(project.engine) == whole("shop.items_2027", "shop.items_2028")


def test_an_invalid_leftover_is_built_anew(project: SmallProject) -> None:
    """As a build leaves it that was cancelled or killed on the server."""
    with project.engine.begin() as connection:
        execute(connection, "CREATE INDEX items_2027_items_code ON shop.items_2027 (code)")
        execute(
            connection,
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.items_2027_items_code'::regclass",
        )
    project.run(command.upgrade, "head")
    assert indexes(project.engine) == whole("shop.items_2027")


def test_ended_at_any_statement_the_next_run_goes_on(project: SmallProject) -> None:
    total: list[str] = []
    end = during(project.engine, lambda _, statement: total.append(statement))
    project.run(command.upgrade, "head")
    end()
    builds = [number for number, statement in enumerate(total, 1) if "INDEX" in statement and "shop" in statement]
    assert len(builds) == 9
    for at in builds:
        project.run(command.downgrade, "base")

        def kill(number: int, _statement: str, at: int = at) -> None:
            if number == at:
                raise KilledError

        end = during(project.engine, kill)
        with pytest.raises(KilledError):
            project.run(command.upgrade, "head")
        end()
        assert indexes(project.engine) != whole("shop.items_2027"), at
        project.run(command.upgrade, "head")
        assert indexes(project.engine) == whole("shop.items_2027"), at


def test_offline_it_is_built_on_all_of_them(project: SmallProject) -> None:
    sql = project.offline("upgrade", "base:head")
    assert "each one's writers wait while its index is built" in sql
    with psycopg.connect(conninfo(project.engine.url), autocommit=True) as connection:
        for statement in sql[sql.index("-- Which partitions") :].split(";\n")[:2]:
            connection.execute(statement.encode())
    assert indexes(project.engine) == whole("shop.items_2027")


def constraints(engine: Engine) -> list[tuple[str, str, bool, str | None]]:
    """Of each table: which there is, whether it is validated, and that of which table it is a part of."""
    with engine.connect() as connection:
        return [(row[0], row[1], row[2], row[3]) for row in connection.exec_driver_sql(OF_PARTITIONS)]


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_constraint_that_each_partition_has_is_taken_over(name: str, empty: Engine, tmp_path: Path) -> None:
    """Ended at any statement, the next run goes on; and no statement that reads rows makes writers wait."""
    made = of(CONSTRAINTS[name], empty, tmp_path)
    made.revise()
    with empty.begin() as connection:
        execute(connection, f"{MONTH.format(2027, 2028)} {ROW}")
    before, total = constraints(empty), list[str]()
    end = during(empty, lambda _, statement: total.append(statement))
    made.run(command.upgrade, "head")
    end()
    after = constraints(empty)
    [(definition, _)] = {(row[1], row[2]) for row in after}
    assert {(row[0], row[3]) for row in after} == {
        ("items", None),
        ("items_old", "shop.items"),
        ("items_new", "shop.items"),
        ("Items: here", "shop.items_new"),
        ("items_2027", "shop.items"),
    }
    own = [at for at, each in enumerate(total, 1) if each.startswith(("CREATE UNIQUE INDEX", "ALTER TABLE"))]
    assert len(own) == (4 if name == "primary key" else 7), total
    for at in own:
        made.run(command.downgrade, "base")
        assert constraints(empty) == before

        def kill(number: int, _statement: str, at: int = at) -> None:
            if number == at:
                raise KilledError

        end = during(empty, kill)
        with pytest.raises(KilledError):
            made.run(command.upgrade, "head")
        end()
        assert [row for row in constraints(empty) if row[0] == "items"] != [("items", definition, True, None)]
        made.run(command.upgrade, "head")
        assert constraints(empty) == after, at


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_to_take_them_over_reads_no_row(name: str, empty: Engine, tmp_path: Path) -> None:
    """A row that breaks the foreign key is not found; the partitions' indexes are those that were built beforehand."""
    made = of(CONSTRAINTS[name], empty, tmp_path)
    made.revise()
    built: list[object] = []

    def before_the_last(_number: int, statement: str) -> None:
        if statement.startswith("ALTER TABLE shop.items ") and "ADD CONSTRAINT" in statement:
            with psycopg.connect(conninfo(empty.url)) as other:
                built.append(other.execute(FILES).fetchall())
                if name.startswith("foreign"):
                    other.execute("SET session_replication_role = replica")
                    other.execute("INSERT INTO shop.items VALUES (1, '2027-02-01', 'c', 'nowhere', 1)")

    end = during(empty, before_the_last)
    made.run(command.upgrade, "head")
    end()
    with empty.connect() as connection:
        assert built == [connection.exec_driver_sql(FILES).all()]


def test_a_partition_that_has_a_key_like_it_by_itself(empty: Engine, tmp_path: Path) -> None:
    """No second one is built there."""
    made = of(CONSTRAINTS["unique key"], empty, tmp_path)
    made.revise()
    with empty.begin() as connection:
        execute(connection, 'ALTER TABLE shop."Items: here" ADD CONSTRAINT own UNIQUE (id, day, place)')
    made.run(command.upgrade, "head")
    assert len([row for row in constraints(empty) if row[0] == "Items: here"]) == 1


def test_an_invalid_leftover_of_a_key_is_built_anew(empty: Engine, tmp_path: Path) -> None:
    """As a build leaves it where two rows are alike; once they are not, the next run goes on."""
    made = of(CONSTRAINTS["unique key"], empty, tmp_path)
    made.revise()
    with empty.begin() as connection:
        execute(connection, "INSERT INTO shop.items SELECT * FROM shop.items_old LIMIT 1")
    with pytest.raises(Exception, match="could not create unique index"):
        made.run(command.upgrade, "head")
    with empty.begin() as connection:
        execute(connection, "DELETE FROM shop.items_old")
    made.run(command.upgrade, "head")
    made.run(command.check)


def test_a_partition_is_optional_with_its_table(empty: Engine, tmp_path: Path) -> None:
    """Also where it has NOT NULL by itself, which PostgreSQL keeps from 18 on."""
    made = of(Pair("optional", T, "ALTER TABLE shop.items ALTER code SET NOT NULL"), empty, tmp_path)
    with empty.begin() as connection:
        execute(connection, "ALTER TABLE shop.items_old ALTER code SET NOT NULL")
    made.revise()
    made.run(command.upgrade, "head")
    with empty.begin() as connection:
        execute(connection, "INSERT INTO shop.items VALUES (1, '2020-02-02', NULL, 'here', 1)")


@pytest.mark.parametrize("name", ["unique key", "foreign key"])
def test_offline_a_constraint_is_added_to_all_of_them(name: str, empty: Engine, tmp_path: Path) -> None:
    made = of(CONSTRAINTS[name], empty, tmp_path)
    made.revise()
    sql = made.offline("upgrade", "base:head")
    assert "everybody waits while their rows are read" in sql
    with psycopg.connect(conninfo(empty.url), autocommit=True) as connection:
        for statement in sql[sql.index("-- Which partitions") :].split(";\n")[:1]:
            connection.execute(statement.encode())
    assert made.differences() == []
