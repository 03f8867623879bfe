"""The door: it looks before it sets anything, refuses in a sentence, pins what statements mean, and leaves nothing."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from alembic_online.database import engine
from alembic_online.errors import OnlineError
from alembic_online.sessions import open_session
from alembic_online.settings import HARMLESS, PINNED, WISHED, judged
from sqlalchemy import URL, NullPool, text

from operations.embedded import Server
from operations.scope import SCOPE
from tests.engine.conftest import run
from tests.fixtures.databases import Clone, conninfo
from tests.fixtures.pooler import Pooler
from tests.fixtures.server import throwaway_server
from tests.revisions.conftest import make_role

ROLE = "door_role"
OTHERWISE = {
    "DateStyle": "German",
    "IntervalStyle": "iso_8601",
    "TimeZone": "Asia/Tokyo",
    "timezone_abbreviations": "Australia",
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "extra_float_digits": "-2",
    "array_nulls": "off",
    "xmlbinary": "hex",
    "xmloption": "document",
    "standard_conforming_strings": "off",
    "backslash_quote": "on",
    "transform_null_equals": "on",
    "quote_all_identifiers": "on",
    "row_security": "on",
    "gin_fuzzy_search_limit": "3",
    "restrict_nonsystem_relation_kind": "view",
    "stats_fetch_consistency": "none",
    "default_text_search_config": "pg_catalog.german",
    "check_function_bodies": "off",
    "plpgsql.extra_errors": "all",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "exit_on_error": "on",
    "client_min_messages": "error",
    "statement_timeout": "1s",
    "lock_timeout": "1s",
    "idle_in_transaction_session_timeout": "1s",
    "idle_session_timeout": "1s",
}


@pytest.fixture
def role(server: Server) -> Iterator[str]:
    """A role whose settings a test changes; they are gone after it."""
    make_role(server, ROLE)
    yield ROLE
    run(server.url("postgres"), f"ALTER ROLE {ROLE} RESET ALL")


def refusal(url: URL, **arguments: object) -> str:
    with pytest.raises(OnlineError) as caught:
        engine(url, poolclass=NullPool, **arguments).connect()  # type: ignore[arg-type]
    assert "\nNext: " in str(caught.value)
    return str(caught.value)


def settings(connection: psycopg.Connection[object]) -> dict[str, str]:
    return dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())  # type: ignore[arg-type]


@pytest.mark.parametrize("binaries", [None, Path("/usr/lib/postgresql/15/bin")], ids=["ours", "oldest"])
def test_every_setting_is_judged(server: Server, pg_bin: Path, binaries: Path | None) -> None:
    """A setting of a version to come fails here until somebody has said what it means."""
    known = "SELECT name FROM pg_settings WHERE context IN ('user', 'superuser')"
    if binaries is None:
        url = server.url("postgres")
    elif not binaries.exists():
        pytest.skip(f"there is no {binaries}")
    else:
        with throwaway_server(binaries) as oldest:
            return _every_setting_is_judged(oldest.url("postgres"), known)
    return _every_setting_is_judged(url, known)


def _every_setting_is_judged(url: URL, known: str) -> None:
    with psycopg.connect(conninfo(url)) as connection:
        connection.execute("DO 'BEGIN END'")  # loads PL/pgSQL, whose settings are listed from then on
        names = {row[0] for row in connection.execute(known.encode())}
    assert len(names) > 150
    assert names - judged() == set()


def test_each_is_judged_once() -> None:
    names = [*PINNED, *WISHED, *(name for names in HARMLESS.values() for name in names.split())]
    assert len(names) == len(set(names))


def test_what_a_role_sets_otherwise_is_pinned(server: Server, role: str, clone: Clone) -> None:
    url = clone("phase1_table").set(username=role)
    with psycopg.connect(conninfo(server.url("postgres")), autocommit=True) as connection:
        known = settings(connection)
        assert {name for name in PINNED if name in known and "lc_" not in name} - OTHERWISE.keys() <= {
            "createrole_self_grant",
            "transaction_timeout",
            "session_replication_role",
            "ignore_checksum_failure",
            "zero_damaged_pages",
        }
    chosen = {name: value for name, value in OTHERWISE.items() if name in known or "." in name}
    run(server.url("postgres"), *(f"ALTER ROLE {role} SET {name} = '{value}'" for name, value in chosen.items()))
    with psycopg.connect(conninfo(url)) as anybody:
        theirs = settings(anybody)
    with engine(url, poolclass=NullPool).connect() as connection:
        for reset in (False, True):
            if reset:
                connection.execute(text("RESET ALL"))
            for name in chosen:
                found = connection.scalar(text("SELECT current_setting(:name)"), {"name": name})
                assert found == PINNED[name], name
    assert theirs["datestyle".replace("datestyle", "DateStyle")].startswith("German"), "else nothing was tested"


def test_what_only_a_superuser_may_set_back_is_refused(server: Server, role: str, clone: Clone) -> None:
    url = clone("phase1_table").set(username=role)
    engine(url, poolclass=NullPool).connect().close()
    run(server.url("postgres"), f"ALTER ROLE {role} SET session_replication_role = replica")
    said = refusal(url)
    assert (
        "session_replication_role = replica, with which triggers and foreign keys do not fire; it is set for"
        " this role's sessions alone, and must be origin here, which this role is not allowed to set;" in said
    )
    assert f"as a superuser: ALTER ROLE {role} RESET session_replication_role; then run" in said
    run(server.url("postgres"), f"GRANT SET ON PARAMETER session_replication_role TO {role}")
    with engine(url, poolclass=NullPool).connect() as connection:
        assert connection.scalar(text("SHOW session_replication_role")) == "origin"
    run(server.url("postgres"), f"REVOKE SET ON PARAMETER session_replication_role FROM {role}")


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_is_refused(server: Server, encoding: str) -> None:
    name = f"door_{encoding.lower()}"
    create = f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0"
    run(server.url("postgres"), f"DROP DATABASE IF EXISTS {name}", create)
    try:
        said = refusal(server.url(name))
    finally:
        run(server.url("postgres"), f"DROP DATABASE {name}")
    assert f"/{name}" in said
    assert f" is {encoding}, not UTF8" in said
    assert "ENCODING 'UTF8'" in said


def test_a_read_only_database_is_refused_where_something_is_changed(server: Server, role: str, clone: Clone) -> None:
    url = clone("phase1_table").set(username=role)
    run(server.url("postgres"), f"ALTER ROLE {role} SET default_transaction_read_only = on")
    assert "is read-only" in refusal(url, changing=True)
    with engine(url, poolclass=NullPool).connect() as connection:
        assert connection.scalar(text("SHOW transaction_read_only")) == "on"


def seen_by_the_application(url: URL) -> tuple[dict[str, str], list[object], int]:
    """What a session of the pool has: settings, advisory locks, temporary tables. Those of PL/pgSQL are listed once a
    function has run, and have to be as they come."""
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        locks = connection.execute("SELECT objid FROM pg_locks WHERE locktype = 'advisory'").fetchall()
        temporary = connection.execute("SELECT count(*) FROM pg_class WHERE relpersistence = 't'").fetchone()
        assert temporary
        found = settings(connection)
        extra = {name: found.pop(name) for name in [name for name in found if name.startswith("plpgsql.")]}
        assert not extra or extra["plpgsql.extra_errors"] == "none"
        return found, list(locks), temporary[0]  # type: ignore[return-value]


@pytest.mark.parametrize("mode", ["transaction", "statement"])
@pytest.mark.parametrize("round_robin", [0, 1])
def test_a_pooler_that_changes_sessions_is_refused_and_as_before(
    clone: Clone, pooler: Pooler, mode: str, round_robin: int
) -> None:
    through = pooler(clone("migrated_table"), mode, server_round_robin=round_robin)
    with psycopg.connect(conninfo(through), autocommit=True) as one:
        with suppress(psycopg.errors.ProtocolViolation), one.transaction(), psycopg.connect(conninfo(through)) as two:
            two.execute("SELECT 1")  # so that the pool has two to give
        before = seen_by_the_application(through)
        for _ in range(3):
            said = refusal(through)
            assert "may give each transaction another session of the server" in said
            with (
                pytest.raises(OnlineError, match="may give each transaction another session"),
                open_session(through, SCOPE),
            ):
                pass
        assert seen_by_the_application(through) == before


@pytest.mark.parametrize("query", ["DISCARD ALL", ""], ids=["resets", "does not reset"])
def test_a_pool_of_sessions_is_left_as_it_was(clone: Clone, pooler: Pooler, query: str) -> None:
    through = pooler(clone("migrated_table"), "session", server_reset_query=query)
    before = seen_by_the_application(through)
    with engine(through, poolclass=NullPool, changing=True).connect() as connection:
        for name, value in PINNED.items():
            found = connection.scalar(text("SELECT current_setting(:name, true)"), {"name": name})
            assert found in (value, None), name
        connection.execute(text("SELECT pg_advisory_lock(7)"))
        connection.execute(text("CREATE TEMPORARY TABLE left_behind ()"))
        connection.commit()
    assert seen_by_the_application(through) == before
    with open_session(through, SCOPE, sole=True) as session:
        session.connection.execute("SELECT pg_advisory_lock(8)")
    assert seen_by_the_application(through) == before


def test_a_caller_engine_is_settled_and_left(clone: Clone, connect: Callable[..., object]) -> None:
    url = clone("migrated_table")
    run(url, f"ALTER DATABASE {url.database} SET datestyle = 'German'")
    mine = connect(url)
    with open_session(url, SCOPE, engine=mine) as session:  # type: ignore[arg-type]
        assert session.connection.execute("SHOW datestyle").fetchone() == ("ISO, MDY",)
