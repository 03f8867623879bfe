"""What is raised for a rollout is put back, whoever dies in between."""

import os
import signal
from collections.abc import Callable
from itertools import count
from typing import Any

import psycopg
import pytest
from alembic_online.errors import OnlineError
from sqlalchemy import URL

from operations.preflight.context import Context, Request, open_context
from operations.preflight.preflight import finish
from operations.preflight.retention import RAISED, prepare, restore
from tests.fixtures.cluster import Cluster
from tests.fixtures.databases import conninfo
from tests.fixtures.receiver import APPRISE
from tests.operations.preflight.conftest import execute, look

SET = "SELECT name, setting FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' AND error IS NULL"
IN_FORCE = "SELECT name, current_setting(name) FROM pg_settings WHERE name = ANY(%s)"


def pairs(url: URL, question: str, *parameters: object) -> dict[str, str]:
    with psycopg.connect(conninfo(url)) as connection:
        return dict(connection.execute(question.encode(), parameters or None).fetchall())


def set_by_us(url: URL) -> dict[str, str]:
    """What stands in the server's own file of settings."""
    return pairs(url, SET)


def in_force(url: URL) -> dict[str, str]:
    return pairs(url, IN_FORCE, list(RAISED))


@pytest.fixture
def with_history(phase1: URL) -> URL:
    """A server on which an administrator has set some of them before."""
    execute(
        phase1,
        "ALTER SYSTEM SET wal_keep_size = '64MB'",
        "ALTER SYSTEM SET max_slot_wal_keep_size = '2GB'",
        "ALTER SYSTEM SET log_truncate_on_rotation = on",
        "SELECT pg_reload_conf()",
    )
    return phase1


def test_raised_and_put_back(with_history: URL) -> None:
    url = with_history
    before, was = set_by_us(url), in_force(url)
    for _ in range(2):  # the second time there is nothing left to raise, and nothing is forgotten
        found = look(url, prepare=True)
        assert found.well, found
        assert found.next_step.startswith("`sidb upgrade --plan`, then `sidb upgrade`")
        assert in_force(url) == RAISED
    assert found.findings[-1].detail == (
        "raised, to be put back: log_lock_waits, log_truncate_on_rotation, max_slot_wal_keep_size, wal_keep_size"
    )
    done = finish(url)
    assert [finding.verdict for finding in done.findings] == ["ok"], done.findings
    assert (set_by_us(url), in_force(url)) == (before, was)
    assert [finding.detail for finding in finish(url).findings] == ["nothing is raised"]


def test_nothing_is_raised_where_a_check_failed(phase1: URL) -> None:
    execute(phase1, "ALTER TABLE features ALTER updated_at TYPE timestamp")
    before = set_by_us(phase1)
    found = look(phase1, prepare=True)
    assert found.exit_code == 1
    assert set_by_us(phase1) == before
    assert found.next_step == "correct what failed, and run the same command again."


def test_what_is_more_than_enough_stays(phase1: URL) -> None:
    execute(phase1, "ALTER SYSTEM SET wal_keep_size = '10GB'", "SELECT pg_reload_conf()")
    with open_context(phase1, Request()) as context:
        prepare(context)
    assert in_force(phase1)["wal_keep_size"] == "10GB"


def test_what_somebody_else_changed_since_stays(phase1: URL) -> None:
    look(phase1, prepare=True)
    execute(phase1, "ALTER SYSTEM SET wal_keep_size = '1GB'", "SELECT pg_reload_conf()")
    found = {finding.detail: finding.verdict for finding in finish(phase1).findings}
    assert found == {"log_lock_waits = off": "ok", "wal_keep_size is 1GB by now, and stays so": "warning"}
    assert in_force(phase1)["wal_keep_size"] == "1GB"


def test_a_role_that_may_not_is_given_the_statements(cluster: Cluster, phase1: URL) -> None:
    execute(phase1, "DROP ROLE IF EXISTS retention_plain", "CREATE ROLE retention_plain LOGIN")
    database = phase1.database
    execute(phase1, f"GRANT CREATE ON DATABASE {database} TO retention_plain")
    plain = phase1.set(username="retention_plain")
    try:
        with open_context(plain, Request()) as context:
            found = prepare(context)
        assert {finding.verdict for finding in found} == {"warning"}
        assert "ALTER SYSTEM SET \"wal_keep_size\" = '4GB'; SELECT pg_reload_conf();" in found[0].remedy
        assert "and after the rollout: ALTER SYSTEM RESET wal_keep_size;" in found[0].remedy

        # With the rights it does it itself; without them again, it says how to put it back.
        execute(
            phase1,
            "GRANT ALTER SYSTEM ON PARAMETER wal_keep_size, log_lock_waits TO retention_plain",
            "GRANT EXECUTE ON FUNCTION pg_reload_conf() TO retention_plain",
        )
        with open_context(plain, Request()) as context:
            assert [finding.verdict for finding in prepare(context)] == ["ok"]
        execute(phase1, "REVOKE ALTER SYSTEM ON PARAMETER wal_keep_size FROM retention_plain")
        told = finish(plain)
        assert told.exit_code == 1
        assert [finding.verdict for finding in told.findings] == ["ok", "failed"]
        statements = told.findings[1].remedy.removeprefix("as an administrator: ").removesuffix("; then run it again.")
        execute(phase1, *statements.split("; "))
        assert finish(plain).well
        assert finish(plain).findings[0].detail == "nothing is raised"
        assert in_force(phase1)["wal_keep_size"] == "0"
        execute(phase1, "ALTER SCHEMA sidb OWNER TO postgres")
        with pytest.raises(OnlineError, match="cannot be put back: permission denied for schema sidb"):
            finish(plain)
    finally:
        execute(phase1, "DROP OWNED BY retention_plain", "DROP ROLE retention_plain")


def killed(url: URL, work: Callable[[Context], Any], at: int) -> bool:
    """Whether a process that does the work, and kills itself before that statement, came to it."""
    child = os.fork()
    if not child:
        numbers = count(1)

        class Deadly(psycopg.Cursor[Any]):
            def execute(self, *arguments: Any, **options: Any) -> Any:
                if next(numbers) == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return super().execute(*arguments, **options)

        try:
            with open_context(url, Request()) as context:
                context.connection.cursor_factory = Deadly
                work(context)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("work", [prepare, restore])
def test_killed_between_any_two_statements(with_history: URL, work: Callable[..., Any]) -> None:
    url = with_history
    before, was = set_by_us(url), in_force(url)
    for at in count(1):
        if work is restore:
            with open_context(url, Request()) as context:
                prepare(context)
        if not killed(url, work, at):
            break
        assert finish(url).well
        assert (set_by_us(url), in_force(url)) == (before, was), f"killed before statement {at}"
        assert finish(url).findings[0].detail == "nothing is raised"
    assert at > 10, "as many statements as there are"


@APPRISE
def test_the_teams_are_told(phase1: URL, receiver: tuple[str, list[str]]) -> None:
    address, received = receiver
    look(phase1, addresses=[address])
    assert received == [], "looking is no news"
    look(phase1, prepare=True, addresses=[address])
    finish(phase1, addresses=[address])
    execute(phase1, "DROP TABLE hot_niches_today")
    look(phase1, prepare=True, addresses=[address])
    begins, ends, fails = received
    assert begins.startswith("Rollout of postgresql://")
    assert begins.endswith(" begins")
    assert ends.endswith(" finished")
    assert fails.endswith(" not begun; failed: phase 1")
