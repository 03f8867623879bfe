"""Who may create in `public` makes functions and operators that fit better than PostgreSQL's: no command calls one.

The names are those that stand in our own statements. A twin that is called raises.
"""

import re
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import URL

from operations.cli import main
from operations.embedded import Server
from tests.engine.conftest import catalog, current
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD
from tests.revisions.conftest import make_role

ROOT = Path(__file__).parents[2]
STRANGER = "twin_maker"
CALLED = "a twin was called"
TYPES = ("text", "name", "varchar", '"char"', "integer", "bigint", "numeric", "double precision", "oid", "regclass")
MORE = ("text", "name", "regclass", "regnamespace", "integer", "boolean")
OPERATORS = ("=", "<>", "<", ">", "<=", ">=", "||", "+", "-", "*", "/", "~", "~~", "|", "&", "<<")
MAKE = """
    DO $$
    DECLARE
        name text;
        arguments text;
    BEGIN
        FOREACH name IN ARRAY {names} LOOP
            FOREACH arguments IN ARRAY {arguments} LOOP
                BEGIN
                    EXECUTE format(
                        'CREATE FUNCTION public.%I(%s) RETURNS boolean LANGUAGE plpgsql AS %L',
                        name, arguments, 'BEGIN RAISE EXCEPTION ''{called}''; END'
                    );
                EXCEPTION WHEN OTHERS THEN NULL;  -- a name that only pg_catalog may have
                END;
            END LOOP;
        END LOOP;
    END
    $$
"""
MAKE_OPERATORS = """
    DO $$
    DECLARE
        name text;
        pair text[];
    BEGIN
        FOREACH name IN ARRAY {names} LOOP
            FOREACH pair SLICE 1 IN ARRAY {pairs} LOOP
                BEGIN
                    EXECUTE format(
                        'CREATE OPERATOR public.%s (FUNCTION = public.twin_operator, LEFTARG = %s, RIGHTARG = %s)',
                        name, pair[1], pair[2]
                    );
                EXCEPTION WHEN OTHERS THEN NULL;
                END;
            END LOOP;
        END LOOP;
    END
    $$
"""


def names() -> set[str]:
    """Everything that our statements call, or seem to."""
    folders = ("alembic", "models", "backfill", "operations", "alembic-online/alembic_online")
    files = [file for folder in folders for file in (ROOT / folder).rglob("*") if file.suffix in (".sql", ".py")]
    text = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return {name.removeprefix("func.") for name in re.findall(r"\b((?:func\.)?[a-z_][a-z0-9_]+)\(", text)}


def array(values: list[str]) -> str:
    return "ARRAY[" + ", ".join("'" + value.replace("'", "''") + "'" for value in values) + "]"


def plant(url: URL) -> int:
    """Make the twins as an ordinary role that may create in public; how many there are."""
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {STRANGER}".encode())
        known = {row[0] for row in connection.execute("SELECT proname FROM pg_proc WHERE pronamespace = 11")}
    used = sorted(known & names())
    assert {"quote_ident", "format", "pg_backend_pid", "to_regclass", "set_config", "count"} <= set(used)
    pairs = [f"{left}, {right}" for left in TYPES for right in TYPES]
    triples = [f"text, {left}, {right}" for left in MORE for right in MORE]
    with psycopg.connect(conninfo(url.set(username=STRANGER)), autocommit=True) as connection:
        arguments = array([*TYPES, *pairs, *triples])
        functions = MAKE.replace("{names}", array(used)).replace("{arguments}", arguments)
        connection.execute(functions.replace("{called}", CALLED).encode())
        operands = MAKE.replace("{names}", "ARRAY['twin_operator']").replace("{arguments}", array(pairs))
        connection.execute(operands.replace("{called}", CALLED).encode())
        both = ", ".join(f"['{left}', '{right}']" for left in TYPES for right in TYPES)
        operators = MAKE_OPERATORS.replace("{names}", array(list(OPERATORS))).replace("{pairs}", f"ARRAY[{both}]")
        connection.execute(operators.encode())
        row = connection.execute(
            "SELECT (SELECT count(*) FROM pg_catalog.pg_proc WHERE pronamespace = 'public'::pg_catalog.regnamespace)"
            " OPERATOR(pg_catalog.+)"
            " (SELECT count(*) FROM pg_catalog.pg_operator WHERE oprnamespace = 'public'::pg_catalog.regnamespace)"
        ).fetchone()
    assert row
    return int(row[0])


def sidb(url: URL, *arguments: str) -> Result:
    done = CliRunner().invoke(main, arguments, env={"DATABASE_URL": conninfo(url)})
    assert CALLED not in done.output
    return done


@pytest.fixture
def planted(clone: Clone, server: Server) -> URL:
    make_role(server, STRANGER)
    url = clone("migrated_table")
    assert plant(url) > 3_000
    return url


def test_they_would_be_called(planted: URL) -> None:
    with (
        psycopg.connect(conninfo(planted)) as connection,
        pytest.raises(psycopg.errors.RaiseException, match=CALLED),
    ):
        connection.execute("SELECT quote_ident(current_database())")


def test_commands_that_look_call_none(planted: URL) -> None:
    for command in (["history"], ["monitor"], ["maintain"], ["verify"], ["backfill", "status"], ["preflight"]):
        done = sidb(planted, *command)
        assert done.exit_code in (0, 1, 3), (command, done.output)
        assert "fault of this program" not in done.output, done.output


def test_commands_that_fire_others_triggers_refuse_them(planted: URL) -> None:
    before = catalog(planted)
    for command in (
        ["upgrade"],
        ["rollback", "1.0.0", "--yes"],
        ["restore"],
        ["backfill", "run", "--now"],
        ["backfill", "verify"],
    ):
        done = sidb(planted, *command)
        assert done.exit_code == 1, (command, done.output)
        assert "could call instead of PostgreSQL's own" in done.output, (command, done.output)
        assert STRANGER in done.output
    assert catalog(planted) == before
    assert current(planted) == HEAD


def test_what_a_trusted_role_made_is_no_stranger_s(clone: Clone, server: Server) -> None:
    make_role(server, STRANGER)
    url = clone("migrated_table")
    with psycopg.connect(conninfo(administrator(url)), autocommit=True) as connection:
        connection.execute("CREATE FUNCTION public.round(float8, integer) RETURNS numeric LANGUAGE sql AS 'SELECT 1.0'")
        assert sidb(url, "upgrade").exit_code == 0
        connection.execute(f"GRANT CREATE ON SCHEMA public TO {STRANGER}".encode())
        connection.execute(f"ALTER FUNCTION public.round(float8, integer) OWNER TO {STRANGER}".encode())
        told = sidb(url, "upgrade")
        assert told.exit_code == 1
        assert f"function public.round(double precision,integer) of {STRANGER}" in told.output
        failed = sidb(url, "preflight", "--json").output
        assert "public.round(double precision,integer)" in failed
        connection.execute("DROP FUNCTION public.round(float8, integer)")
        assert sidb(url, "upgrade").exit_code == 0
        connection.execute("GRANT CREATE ON SCHEMA public TO PUBLIC")
        assert "everybody may create in it" in sidb(url, "preflight").output.replace("\n", " ")
