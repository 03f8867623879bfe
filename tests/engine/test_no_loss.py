"""Random revisions over random rows: no run ends with fewer rows or values than before, unless told to discard."""

import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from alembic_online import OnlineError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL

from operations import upgrade
from tests.engine.catalog.test_mutations import HEAD
from tests.engine.test_data_loss import ByHand, run, sql
from tests.fixtures.databases import Templates, cloning
from tests.operations.rollback.conftest import roll_back

TABLES = ("one", "two", "three")
COLUMNS = ("a", "b", "c")
TYPES = ("text", "integer", "jsonb", "uuid")
VALUES = {"text": "'v'", "integer": "7", "jsonb": "'[1]'", "uuid": "gen_random_uuid()"}

STATEMENTS = st.one_of(
    st.builds("CREATE TABLE IF NOT EXISTS {}_new (id int PRIMARY KEY, a text)".format, st.sampled_from(TABLES)),
    st.builds("DROP TABLE IF EXISTS {}".format, st.sampled_from(TABLES)),
    st.builds("DROP TABLE IF EXISTS {} CASCADE".format, st.sampled_from(TABLES)),
    st.builds(
        "ALTER TABLE IF EXISTS {} DROP COLUMN IF EXISTS {}".format, st.sampled_from(TABLES), st.sampled_from(COLUMNS)
    ),
    st.builds(
        "ALTER TABLE IF EXISTS {} ADD COLUMN IF NOT EXISTS {} text DEFAULT 'new'".format,
        st.sampled_from(TABLES),
        st.sampled_from(COLUMNS),
    ),
    st.builds("ALTER TABLE IF EXISTS {} RENAME COLUMN id TO id_{}".format, st.sampled_from(TABLES), st.integers(1, 3)),
    st.builds("ALTER TABLE IF EXISTS {} RENAME TO other_{}".format, st.sampled_from(TABLES), st.integers(1, 3)),
    st.builds("ALTER TABLE IF EXISTS {0} ALTER COLUMN id TYPE bigint".format, st.sampled_from(TABLES)),
    st.builds("DO $$ BEGIN EXECUTE 'DROP TABLE IF EXISTS ' || '{}'; END $$".format, st.sampled_from(TABLES)),
    st.builds("SELECT public.drop_it('{}')".format, st.sampled_from(TABLES)),
)
BODY = st.lists(st.tuples(st.booleans(), STATEMENTS), min_size=1, max_size=5)
FILLED = st.fixed_dictionaries({table: st.integers(0, 2) for table in TABLES})


@dataclass
class Database:
    """A database in which random revisions run, and what it held before."""

    url: URL
    held: Counter[str] = field(default_factory=Counter)

    def fill(self, rows: dict[str, int], seed: int) -> None:
        chosen = random.Random(seed)  # noqa: S311 - a test's own
        run(
            self.url,
            "CREATE FUNCTION public.drop_it(name text) RETURNS void LANGUAGE plpgsql AS"
            " 'BEGIN EXECUTE format(''DROP TABLE IF EXISTS %I'', name); END'",
        )
        for table, count in rows.items():
            types = {column: chosen.choice(TYPES) for column in COLUMNS}
            columns = ", ".join(f"{column} {type_}" for column, type_ in types.items())
            run(self.url, f"CREATE TABLE {table} (id integer PRIMARY KEY, {columns})")
            for number in range(count):
                given_ = [column for column in COLUMNS if chosen.random() < 0.5]
                names = "".join(f", {column}" for column in given_)
                values = "".join(f", {VALUES[types[column]]}" for column in given_)
                run(self.url, f"INSERT INTO {table} (id{names}) VALUES ({number}{values})")  # noqa: S608
        self.held = self.count()

    def count(self) -> Counter[str]:
        """The rows and values of every table, archives counted, whatever tables and columns are called: by content."""
        found: Counter[str] = Counter()
        tables = run(
            self.url,
            "SELECT relnamespace::regnamespace::text, relname FROM pg_class WHERE relkind = 'r'"
            " AND relnamespace::regnamespace::text ~ '^public$|^sidb_archive_'"
            " AND relname ~ '^(columns of )?(one|two|three|other_.)( [0-9]+)?$'",
        )
        for schema, table in tables:
            for (row,) in run(self.url, f'SELECT to_jsonb(t) FROM {schema}."{table}" AS t'):  # noqa: S608
                found["rows"] += 1
                found.update(str(value) for value in row.values() if value is not None and value != "new")
        return found


def body(statements: list[tuple[bool, str]]) -> str:
    lines = []
    for outside, statement in statements:
        call = sql(statement.replace("'", "\\'")).replace('op.execute("', "op.execute('").replace('")', "')")
        lines += ["with op.get_context().autocommit_block():", f"    {call}"] if outside else [call]
    return "\n".join(lines)


@pytest.mark.parametrize("direction", ["upgrade", "downgrade", "rollback"])
def test_no_run_ends_with_less(
    direction: str, templates: Templates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcomes: Counter[str] = Counter()

    @settings(max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(statements=BODY, rows=FILLED, seed=st.integers(0, 2**16))
    def each(statements: list[tuple[bool, str]], rows: dict[str, int], seed: int) -> None:
        with cloning(templates) as clone:
            database = Database(clone("migrated_table"))
            code = body(statements)
            by_hand = ByHand(database.url, tmp_path / direction, x=("deadline=20s",))
            by_hand.write(*((code,) if direction == "upgrade" else ("pass", code)))
            if direction != "upgrade":
                by_hand.upgrade()
            database.fill(rows, seed)
            try:
                match direction:
                    case "upgrade":
                        by_hand.upgrade()
                    case "downgrade":
                        by_hand.downgrade("-1")
                    case "rollback":
                        monkeypatch.setattr(upgrade, "_config", by_hand.config)
                        roll_back(database.url, HEAD)
                outcomes["done"] += 1
            except OnlineError as error:
                outcomes["refused" if "cannot be computed again" in error.what else "failed"] += 1
            left = database.count()
            missing = {what: number for what, number in database.held.items() if left[what] < number}
            assert not missing, (code, rows, missing)

    each()
    assert outcomes["done"]
    assert outcomes["refused"] or direction == "rollback"  # which keeps it
