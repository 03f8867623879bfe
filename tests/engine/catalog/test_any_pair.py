"""Any small schema becomes any other one by what autogenerate writes, and comes back."""
# ruff: noqa: S608 (statements of our own making)

import tempfile
from pathlib import Path

from alembic import command
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import NullPool, create_engine

from tests.fixtures.databases import Templates, cloning
from tests.fixtures.small_project import SCHEMA, SmallProject, execute, reflected, scope

TYPES = {"a": "text", "b": "bigint", "c": "varchar(9)", "d": "timestamptz", "e": "shop.mood", "f": "shop.word[]"}
"""A column's type goes by its name: changes of type are cases of their own."""
DEFAULTS = {"a": "'x'", "b": "7", "c": "'y'", "d": "now()", "e": "'sad'", "f": "NULL"}
ALWAYS = (
    "CREATE TYPE shop.mood AS ENUM ('sad', 'glad'); CREATE DOMAIN shop.word AS text; CREATE TABLE shop.one (id bigint);"
)


OF_ONE_NAME = (
    [["CREATE TYPE shop.pair AS (x bigint, y text)"], ["CREATE TYPE shop.pair AS (y text)"]],
    [["CREATE TYPE shop.size AS ENUM ('s', 'm')"], ["CREATE TYPE shop.size AS ENUM ('m')"]],
    [["CREATE TYPE shop.span AS RANGE (subtype = float8)"], ["CREATE TYPE shop.span AS RANGE (subtype = float4)"]],
    [["CREATE DOMAIN shop.code AS text NOT NULL"], ["CREATE DOMAIN shop.code AS varchar(9) CHECK (VALUE <> '')"]],
    [["ALTER DOMAIN shop.word SET DEFAULT 'w'"], ["ALTER DOMAIN shop.word SET DEFAULT 'x'"]],
)
"""Types that may differ; no column is of them but of the last one."""


@st.composite
def tables(draw: st.DrawFn, name: str) -> list[str]:
    """A table with columns, keys, CHECKs, indexes, settings, comments and grants."""
    columns = draw(st.lists(st.sampled_from(sorted(TYPES)), unique=True, max_size=3))
    key = draw(st.sampled_from([" PRIMARY KEY", "", " UNIQUE", " NOT NULL"]))
    parts = [f"id bigint{key}"]
    for column in columns:
        filled = draw(st.sampled_from(["", " NOT NULL"]))
        default = draw(st.sampled_from(["", f" DEFAULT {DEFAULTS[column]}"]))
        parts.append(f"{column} {TYPES[column]}{default}{filled}")
    if "b" in columns:
        parts += draw(st.sampled_from([[], ["CONSTRAINT few CHECK (b < 9)"], ["CONSTRAINT few CHECK (b < 8)"]]))
    made = [f"CREATE TABLE shop.{name} ({', '.join(parts)})"]
    for column in columns:
        index = f"CREATE INDEX {name}_{column} ON shop.{name} ({column}"
        choices = [[], [f"{index})"], [f"{index} DESC) WHERE {column} IS NOT NULL"]]
        made += draw(st.sampled_from([*choices, [f"COMMENT ON COLUMN shop.{name}.{column} IS 'it''s :{column} 100%'"]]))
    made += draw(
        st.lists(
            st.sampled_from(
                [
                    f"GRANT SELECT ON shop.{name} TO PUBLIC",
                    f"ALTER TABLE shop.{name} SET (fillfactor = 70)",
                    f"ALTER TABLE shop.{name} ENABLE ROW LEVEL SECURITY",
                    f"CREATE POLICY own ON shop.{name} USING (id > 1)",
                    f"CREATE STATISTICS shop.{name}_all ON id, (id % 7) FROM shop.{name}",
                    f"CREATE VIEW shop.{name}_seen AS SELECT id, {', '.join(columns) or '1 AS one'} FROM shop.{name}",
                    f"CREATE MATERIALIZED VIEW shop.{name}_kept AS SELECT count(*) AS n FROM shop.{name}",
                    f"COMMENT ON TABLE shop.{name} IS 'a table'",
                ]
            ),
            unique=True,
            max_size=3,
        )
    )
    return made


@st.composite
def schemas(draw: st.DrawFn) -> str:
    """Up to two tables, with functions, triggers, sequences and types beside them."""
    made = [ALWAYS.rstrip(";")]
    names = draw(st.lists(st.sampled_from(["two", "three"]), unique=True))
    for name in names:
        made += draw(tables(name))
    body = draw(st.sampled_from(["RETURN NEW", "RETURN OLD", None]))
    if body:
        made.append(f"CREATE FUNCTION shop.f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN {body}; END'")
        for name in names:
            trigger = f"CREATE TRIGGER fire BEFORE UPDATE ON shop.{name} FOR EACH ROW EXECUTE FUNCTION shop.f()"
            off = f"{trigger}; ALTER TABLE shop.{name} DISABLE TRIGGER fire"
            made += draw(st.sampled_from([[], [trigger], [off]]))
    for choices in OF_ONE_NAME:
        made += draw(st.sampled_from([[], *choices]))
    made += draw(
        st.lists(
            st.sampled_from(
                [
                    "CREATE SEQUENCE shop.numbers INCREMENT 3",
                    "CREATE AGGREGATE shop.total(bigint) (SFUNC = int8pl, STYPE = bigint)",
                    "CREATE FUNCTION shop.g(v bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT v'",
                    "COMMENT ON TYPE shop.mood IS 'how one feels'",
                ]
            ),
            unique=True,
        )
    )
    return "; ".join(made) + ";"


@given(schemas(), schemas())
@settings(
    max_examples=6,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate],
)
def test_any_schema_becomes_any_other(templates: Templates, first: str, second: str) -> None:
    with cloning(templates) as clone, tempfile.TemporaryDirectory() as directory:
        engine = create_engine(clone("empty"), poolclass=NullPool)
        project = SmallProject(engine, scope(reflected(engine, second), second), Path(directory))
        with engine.begin() as connection:
            execute(connection, f"CREATE SCHEMA {SCHEMA};" + first)
        before = project.catalog()
        project.revise()
        project.run(command.upgrade, "head")
        assert project.differences() == []
        project.run(command.check)
        project.run(command.downgrade, "base")
        assert project.catalog() == before
