"""Each question has a case in which it fails, and says what failed."""

import errno
import os
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Engine

from operations.embedded import Server
from operations.preflight import space
from operations.preflight.context import Limits, Request, open_context
from operations.preflight.preflight import CHECKS, _answer
from tests.engine.conftest import until
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.lived_in import administrator
from tests.fixtures.revisions import HEAD
from tests.operations.preflight.conftest import ask, execute, look
from tests.revisions.conftest import OWNER, make_role

BROKEN = {
    "server": ("ALTER DATABASE {db} SET default_transaction_read_only = on", "default_transaction_read_only is on"),
    "settings": ("ALTER DATABASE {db} SET session_replication_role = replica", "triggers do not fire"),
    "connections": ("ALTER DATABASE {db} CONNECTION LIMIT 5", "this database may have 4 more"),
    "phase 1": (
        "ALTER TABLE features DROP CONSTRAINT features_phrase_key",
        "phrase: has no unique constraint",
    ),
    "dependants": (
        "CREATE VIEW best AS SELECT * FROM hot_niches_today",
        "view public.best uses public.hot_niches_today",
    ),
    "invalid indexes": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'features_phrase_idx'::regclass",
        "features_phrase_idx on public.features",
    ),
    "numeric overflow": (
        "UPDATE features SET demand_score = 1, monetise_score = 1, supply_score = 0 WHERE niche_id = 7",
        "1 rows cannot be scored again, as 10 is reached (niche_id 7)",
    ),
    "others' triggers and rules": (
        "CREATE RULE noted AS ON UPDATE TO features DO ALSO NOTIFY niches",
        "rule noted on features: PostgreSQL takes no statement of the backfill beside it",
    ),
}


@pytest.mark.parametrize("check", BROKEN)
def test_what_fails_in_a_database(clone: Clone, check: str) -> None:
    url = clone("phase1_matview")
    if check == "settings":  # another role than a superuser's is refused at the door
        url = administrator(url)
    assert ask(url, check).verdict in ("ok", "warning")
    statement, complaint = BROKEN[check]
    execute(url, statement.format(db=url.database))
    found = ask(url, check)
    assert found.verdict == "failed"
    assert complaint in found.detail
    assert found.remedy


def test_rows_near_the_limit_are_a_warning(clone: Clone) -> None:
    url = clone("phase1_table")
    execute(url, "UPDATE features SET opportunity = 9.2 WHERE niche_id < 4")
    found = ask(url, "numeric overflow")
    assert (found.verdict, found.detail) == ("warning", "3 rows are within a tenth of the limit 10")
    execute(url, "DROP VIEW IF EXISTS reporting.best", "DROP TABLE hot_niches_today CASCADE")
    execute(url, "ALTER TABLE features ALTER opportunity TYPE numeric(9, 5)")
    assert ask(url, "numeric overflow").detail.endswith("limit 10000")


def test_dependants_and_phase_1_after_the_upgrade(clone: Clone) -> None:
    url = clone("migrated_matview")
    assert ask(url, "phase 1").detail == f"adopted before; the database is at revision {HEAD}"
    assert ask(url, "dependants").verdict == "ok"


def test_nothing_that_a_question_does_stays(clone: Clone) -> None:
    url = clone("empty")
    assert ask(url, "phase 1").verdict == "warning"
    look(url)
    with psycopg.connect(conninfo(url)) as connection:
        found = connection.execute("SELECT oid::regclass FROM pg_class WHERE oid > 16383").fetchall()
    assert found == []


def test_the_same_is_refused_as_by_the_upgrade(clone: Clone) -> None:
    url = clone("phase1_matview")
    execute(url, "CREATE FUNCTION f(hot_niches_today) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    found = ask(url, "dependants")
    with pytest.raises(OnlineError) as caught:
        Alembic(url).upgrade()
    assert f"\n  {found.detail}\n" in caught.value.what
    remedy, _, again = found.remedy.partition(" Afterwards:\n")
    assert caught.value.next_step == remedy
    assert caught.value.what.endswith(again)


def test_space(clone: Clone) -> None:
    url = administrator(clone("phase1_table"))  # others may not see where the data lies
    found = ask(url, "free space", Request(rows=10**12))
    assert found.verdict == "failed"
    assert "tables, sorts, WAL: " in found.detail
    assert "TB needed" in found.detail
    assert ask(url, "free space", Request(rows=1)).verdict == "ok"


@pytest.mark.parametrize(("free", "verdict"), [(16, "ok"), (15, "failed")])
def test_space_is_wanted_for_all_that_lies_on_one_disk(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, free: int, verdict: str
) -> None:
    """One that holds the largest of it alone would be full half-way."""
    needed = {"tables": 10, "sorts": 1, "WAL": 5}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    with open_context(administrator(clone("phase1_table")), Request()) as context:
        assert space._judged(context, needed, "so much").verdict == verdict


@pytest.mark.parametrize(("rows", "verdict"), [(1, "unknown"), (10**12, "failed")])
def test_space_for_wal_in_a_directory_that_cannot_be_entered_is_unknown(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, rows: int, verdict: str
) -> None:
    """It may be a link to another disk."""
    stat = os.stat

    def refused(path: Any, *arguments: Any, **options: Any) -> os.stat_result:
        if Path(path).name == "pg_wal":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return stat(path, *arguments, **options)

    url = administrator(clone("phase1_table"))
    with open_context(url, Request(rows=rows)) as context:
        monkeypatch.setattr(os, "stat", refused)
        found = space.space(context)
    assert found.verdict == verdict
    assert verdict == "failed" or "pg_wal cannot be looked at: Permission denied" in found.detail


def test_space_is_not_that_of_another_server(server: Server, clone: Clone) -> None:
    url = administrator(clone("phase1_table"))
    file = server.data / "postmaster.pid"
    written = file.read_text()
    lines = written.splitlines()
    file.write_text("\n".join([*lines[:2], "1000000000", *lines[3:], ""]))
    try:
        found = ask(url, "free space")
    finally:
        file.write_text(written)
    assert (found.verdict, found.detail) == ("unknown", f"{server.data} on this machine belongs to another server")


def test_privileges(server: Server, clone: Clone) -> None:
    url = clone("phase1_table")
    make_role(server, OWNER)
    as_owner = url.set(username=OWNER)
    found = ask(as_owner, "privileges")
    assert found.verdict == "failed"
    assert f"public.features belongs to {url.username}" in found.detail
    assert ask(as_owner, "phase 1").verdict == "ok"
    execute(url, *found.remedy.removeprefix("as an administrator: ").rstrip(";").split("; "))
    assert ask(as_owner, "privileges").verdict in ("ok", "warning")
    assert ask(as_owner, "phase 1").verdict == "ok"
    execute(url, "CREATE SCHEMA sidb")
    assert "schema sidb belongs to postgres" in ask(as_owner, "privileges").detail


def test_open_transactions(clone: Clone) -> None:
    url = clone("phase1_table")
    at_once = Request(limits=Limits(transaction_seconds=0, idle_seconds=0))
    with closing(psycopg.connect(conninfo(url), application_name="report")) as other:
        other.execute("SELECT FROM features")
        idle = ask(url, "idle transactions", at_once)
        assert ask(url, "idle transactions").verdict == "ok", "not for long enough"
        assert ask(url, "long transactions", at_once).verdict == "ok"
        other.pgconn.send_query(b"SELECT pg_sleep(600)")
        until(lambda: ask(url, "long transactions", at_once).verdict == "failed", "at work")
        busy = ask(url, "long transactions", at_once)
        other.cancel_safe()
    for found in (idle, busy):
        assert found.verdict == "failed"
        assert f"(user {url.username}, application report) for " in found.detail


def test_sessions_on_the_tables(clone: Clone) -> None:
    url = clone("phase1_table")
    for table in ("features", "hot_niches_today"):  # which also ends an autovacuum at work on it
        execute(url, f"ALTER TABLE {table} SET (autovacuum_enabled = off)")
    with psycopg.connect(conninfo(url), application_name="api") as reader:
        reader.execute("UPDATE features SET updated_at = now()")
        assert ask(url, "sessions on the tables").detail == "1 at work, none in the way"
    with psycopg.connect(conninfo(url), application_name="vacuum") as holder:
        holder.execute("LOCK TABLE hot_niches_today IN SHARE MODE")
        found = ask(url, "sessions on the tables")
    assert found.verdict == "failed"
    assert found.detail.endswith("application vacuum) holds ShareLock on public.hot_niches_today")
    execute(url, "CREATE TABLE older () INHERITS (features)")
    with psycopg.connect(conninfo(administrator(url)), application_name="report") as holder:
        holder.execute("LOCK TABLE ONLY older IN SHARE MODE")
        assert ask(url, "sessions on the tables").detail.endswith("holds ShareLock on public.older")


def test_the_applications_role(server: Server, clone: Clone, connect: Callable[..., Engine]) -> None:
    url = clone("phase1_table")
    make_role(server, OWNER)
    make_role(server, "phase1_application")
    assert ask(url, "application's role").verdict == "unknown", "nobody else is there"
    execute(url, "GRANT SELECT ON features TO phase1_application", f"GRANT SELECT ON features TO {OWNER}")
    until(lambda: ask(url, "application's role").verdict == "ok", "the session that granted it has ended")
    with psycopg.connect(conninfo(administrator(url)), application_name="psql"):
        found = ask(url, "application's role")
    assert found.verdict == "warning", "it may be a person"
    assert "postgres (psql) is a superuser: REVOKE does not block it" in found.detail

    named = {name: ask(url, "application's role", Request(applications=(name,))) for name in (OWNER, "postgres", "api")}
    assert [found.verdict for found in named.values()] == ["ok", "failed", "failed"]
    assert named["api"].detail == "there is no login role api"
    as_owner = url.set(username=OWNER)
    shared = ask(as_owner, "application's role", Request(applications=(OWNER,)))
    itself = f"{OWNER} is the migrating role itself: REVOKE does not block it"
    assert (shared.verdict, shared.detail) == ("failed", itself)
    member = f"{url.database}_member"
    execute(url, f"CREATE ROLE {member} LOGIN IN ROLE {OWNER}")
    found = ask(as_owner, "application's role", Request(applications=(member,)))
    execute(url, f"DROP ROLE {member}")
    assert found.detail == f"{member} has the migrating role's rights: REVOKE does not block it"


def test_a_plain_owner_is_told_what_it_cannot_see(owner: URL) -> None:
    with psycopg.connect(conninfo(owner.set(username="postgres"))):
        found = look(owner, Request(backup_command="true", rows=1_000))
    verdicts = {finding.check: finding.verdict for finding in found.findings}
    assert found.well, found
    unknown = {check for check, verdict in verdicts.items() if verdict == "unknown"}
    assert unknown == {"free space", "long transactions", "idle transactions"}
    assert all(finding.remedy for finding in found.findings if finding.verdict == "unknown")


def test_a_table_that_somebody_holds_keeps_one_answer_back(clone: Clone) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url)) as holder:
        holder.execute("LOCK TABLE features")
        found = {finding.check: finding for finding in look(url).findings}
    assert found["numeric overflow"].verdict == "unknown"
    assert "locked by pid " in found["numeric overflow"].detail
    assert found["sessions on the tables"].verdict == "failed"


def test_every_check_is_described_once() -> None:
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.meaning and check.remedy for check in CHECKS)


def test_a_lost_connection_is_an_error_of_one_line(clone: Clone) -> None:
    url = clone("phase1_table")
    with open_context(url, Request()) as context:
        execute(url, f"SELECT pg_terminate_backend({context.connection.info.backend_pid})")
        with pytest.raises(OnlineError) as caught:
            list(_answer(context, CHECKS[0], lambda asked: context.value("wal_kept")))
    assert "The connection to the server was lost" in caught.value.what
