"""What must not be begun, or not be gone on with, is said in a few lines, and nothing is half-done."""

import signal
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from pathlib import Path

import psycopg
import pytest
from alembic_online.errors import Stopped
from alembic_online.interrupts import is_interrupt
from alembic_online.step import Step
from alembic_online.validation import Validator
from sqlalchemy import Engine, event

from operations.embedded import Server
from tests.engine.conftest import applied, catalog, current, refusal, run, strict
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.fixtures.revisions import HEAD
from tests.fixtures.server import throwaway_server

Connect = Callable[..., Engine]


def test_a_read_only_database(clone: Clone) -> None:
    url = clone("phase1_table")
    run(url, f"ALTER DATABASE {url.database} SET default_transaction_read_only = on")
    said = refusal(Alembic(url).upgrade)
    assert f"/{url.database}?" in said
    assert "is read-only (default_transaction_read_only is on); nothing was changed.\n" in said
    assert "\nNext: see who set it; then, in one session, SET default_transaction_read_only = off; ALTER" in said
    assert f" ALTER DATABASE {url.database} RESET default_transaction_read_only" in said


def test_a_standby(pg_bin: Path) -> None:
    with throwaway_server(pg_bin) as server:
        server.stop()
        (server.data / "standby.signal").touch()
        server.start()
        said = refusal(Alembic(server.url("postgres")).upgrade)
    assert "is a standby: it follows another server and cannot be changed; nothing was changed." in said
    assert "\nNext: point the database URL at the primary, and run it again. A superuser finds it by SELECT" in said


def test_a_wrong_password_and_a_pooler_that_refuses_are_said_by_the_connection(clone: Clone) -> None:
    url = clone("phase1_table").set(username="nobody_of_that_name", password="hunter2")  # noqa: S106
    said = refusal(Alembic(url).upgrade)
    assert 'role "nobody_of_that_name" does not exist' in said
    assert "hunter2" not in said


def test_an_unknown_revision(clone: Clone) -> None:
    url = clone("migrated_table")
    run(url, "UPDATE alembic_version SET version_num = '9.9.9'")
    before = catalog(url)
    for go in (Alembic(url).upgrade, Alembic(url).downgrade):
        said = refusal(go)
        assert said.startswith(
            "alembic_version names revision '9.9.9', which this code does not have; nothing was changed."
        )
    assert catalog(url) == before


@pytest.mark.parametrize("role", ["none", "pg_monitor"])
def test_a_table_of_alembic_in_a_schema_that_is_named_like_the_role(clone: Clone, role: str) -> None:
    """The one that logs in: it may be another one's by now."""
    url = clone("migrated_table")
    run(url, "CREATE SCHEMA postgres", "ALTER TABLE alembic_version SET SCHEMA postgres")
    run(url, f"ALTER DATABASE {url.database} SET role = '{role}'")
    said = refusal(Alembic(url).upgrade)
    assert said.startswith("Alembic's table is postgres.alembic_version, not in schema public; nothing was changed.\n")
    statement = "ALTER TABLE postgres.alembic_version SET SCHEMA public"
    assert said.endswith(f"\nNext: move it: {statement}.")
    run(url, "SET role = 'none'", statement, f"ALTER DATABASE {url.database} RESET role")
    run(url, "CREATE TABLE postgres.alembic_version (version_num text)")  # another one's, and in nobody's way
    Alembic(url).upgrade()


def test_a_row_that_is_lost_after_a_way_back(clone: Clone) -> None:
    url = clone("migrated_table")
    Alembic(url).downgrade("2.0.7")
    run(url, "DELETE FROM alembic_version")
    assert "\nNext: `alembic stamp 2.0.7` writes 2.0.7, to which the last recorded" in refusal(Alembic(url).upgrade)


@pytest.mark.parametrize("lost", ["migration", "observer", "watcher"])
def test_a_lost_connection(clone: Clone, connect: Connect, lost: str) -> None:
    url = clone("phase1_table")
    killer = connect(url, isolation_level="AUTOCOMMIT")
    mine = connect(url)
    done = []

    @event.listens_for(mine, "before_cursor_execute")
    def cut(connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "CREATE TABLE analytics.trend_cache" not in statement or done:
            return
        done.append(True)
        with killer.connect() as other:
            pids = other.exec_driver_sql(
                "SELECT pid, query LIKE '%%pg_blocking_pids%%', application_name LIKE 'sidb migrate%%'"
                " FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).all()
            kinds = {
                pid: "watcher" if watches else "observer" if guards else "migration" for pid, watches, guards in pids
            }
            for pid in [pid for pid, kind in kinds.items() if kind == lost]:
                other.exec_driver_sql("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    if lost == "watcher":  # the migration continues unobserved
        Alembic(url).through(mine)
    else:
        said = refusal(lambda: Alembic(url).through(mine))
        assert "The connection to the server was lost" in said
        assert "Next: when the server is up, run it again" in said
        assert "Traceback" not in said
        Alembic(url).upgrade()
    assert current(url) == HEAD
    assert [step for step in applied(url) if step.startswith("2.0.1")] == ["2.0.1 upgrade"]


def test_a_downgrade_keeps_what_cannot_be_computed_again(clone: Clone) -> None:
    url = clone("migrated_table")
    strict(url).downgrade("2.0.5")
    strict(url).upgrade()
    run(
        url,
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " VALUES ('view', 'test', now(), '{}', 1)",
        "UPDATE features SET analytics_version = 3 WHERE niche_id = 2",
        "INSERT INTO hot_niches_today (niche_id, phrase) VALUES (1, 'filled by a trigger')",
    )
    before = catalog(url)
    assert refusal(strict(url).downgrade).splitlines() == [
        "The migration would drop what cannot be computed again; it was not run.",
        "  public.features.analytics_version: holds values",
        "  analytics.analytics_events: holds rows",
        "Next: keep it with `sidb rollback 1.0.0`, or drop it with -x discard-data=yes.",
    ]
    assert "`sidb rollback 2.0.3`" in refusal(lambda: strict(url).downgrade("2.0.3"))
    assert catalog(url) == before
    strict(url).downgrade("2.0.4")
    strict(url, "discard-data=yes").downgrade()
    assert current(url) is None


def test_a_downgrade_of_what_defaults_and_triggers_filled(clone: Clone, caplog: pytest.LogCaptureFixture) -> None:
    url = clone("migrated_table")
    run(
        url,
        "INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)"
        " VALUES ('view', 'test', now(), '{}', 1)",
        "INSERT INTO hot_niches_today (niche_id, phrase) VALUES (1, 'filled by a trigger')",
        "DELETE FROM analytics.analytics_events",
    )
    strict(url).downgrade()
    assert current(url) is None
    assert "alembic_version" not in caplog.text, "its last row, which Alembic deletes, is no row of anybody's"


def test_a_row_written_between_the_check_and_the_drop(clone: Clone, connect: Connect) -> None:
    url = clone("migrated_table")
    Alembic(url).downgrade("2.0.1")
    mine = connect(url)
    done = []

    @event.listens_for(mine, "before_cursor_execute")
    def write(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "DROP TABLE" in statement and not done:
            done.append(True)
            run(
                url,
                "INSERT INTO analytics.trend_cache (trend_type, trend_source, trend_data, parameters, valid_until)"
                " VALUES ('chart', 'test', '{}', '{}', now() + interval '1 hour')",
            )

    said = refusal(lambda: strict(url).through(mine, "downgrade", "2.0.0"))
    assert "  analytics.trend_cache: holds rows\n" in said
    assert current(url) == "2.0.1"


def test_outside_the_maintenance_window(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url)) as connection:
        row = connection.execute("SELECT to_char(now() AT TIME ZONE 'UTC' + interval '2 hours', 'HH24:MI')").fetchone()
    assert row
    later = row[0]
    monkeypatch.setenv("SIDB_WINDOW", f"{later}-{later[:3]}{(int(later[3:]) + 1) % 60:02} UTC")
    before = catalog(url)
    said = refusal(Alembic(url).upgrade)
    assert "outside the maintenance window" in said
    assert "(-x now=yes)" in said
    assert catalog(url) == before
    Alembic(url, x=("now=yes",)).upgrade()
    assert current(url) == HEAD
    Alembic(url).upgrade()  # nothing to do: nothing to refuse


def test_an_option_that_does_not_exist(server: Server, clone: Clone) -> None:
    said = refusal(Alembic(clone("empty"), x=("discard_data=yes",)).downgrade)
    assert said.startswith("-x discard_data is not an option.\nNext: use one of deadline, ")


def test_what_fails_after_ctrl_c_is_an_interrupt(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """It breaks the session that a statement was being sent on, and the error of it shows no sign of Ctrl-C."""
    url = clone("phase1_table")
    begin = Step.begin

    def pressed(self: Step, entry: int) -> None:
        if self.script.revision == "2.0.1":
            with suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
            raise psycopg.errors.LockNotAvailable("another command is already in progress")
        begin(self, entry)

    monkeypatch.setattr(Step, "begin", pressed)
    with pytest.raises(Stopped, match=r"Applied: 1\.0\.0 upgrade, 2\.0\.0 upgrade; 2\.0\.1 upgrade was not"):
        Alembic(url).upgrade()
    assert not is_interrupt(psycopg.OperationalError()), "it is over with the run"
    monkeypatch.undo()
    Alembic(url).upgrade()
    assert current(url) == HEAD


def test_ctrl_c_while_a_step_is_validated(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    """It closes the session on which it happens, and whoever uses that next fails: that is not the reason."""
    url = clone("phase1_table")
    look, looks = Validator._look, count()

    def pressed(self: Validator, what: str) -> dict[str, str]:
        if next(looks) != 2:
            return look(self, what)
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            self.session.observer.close()
            self.session.observer.execute("SELECT 1")
        raise AssertionError

    monkeypatch.setattr(Validator, "_look", pressed)
    with pytest.raises(Stopped, match=r"Interrupted\. Applied: 1\.0\.0 upgrade, 2\.0\.0 upgrade\."):
        Alembic(url).upgrade()
    monkeypatch.undo()
    Alembic(url).upgrade()
    assert current(url) == HEAD
