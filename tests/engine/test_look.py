"""What would stop the last step is found before the first: nothing is committed, and what to do is said."""

import re
from pathlib import Path

import psycopg
import pytest
from alembic_online import Planned, open_session
from alembic_online.look import look
from alembic_online.look.holders import holders
from alembic_online.planned import Obstacle
from click.testing import CliRunner
from sqlalchemy import URL

from operations.cli import main
from operations.phase1 import Shape
from operations.scope import SCOPE
from operations.upgrade import script_directory
from tests.engine.conftest import current, refusal, strict, until
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone, Templates, conninfo
from tests.fixtures.revisions import HEAD
from tests.fixtures.server import throwaway_server

ANOTHER_TEAMS = """
    CREATE VIEW reporting.hottest AS SELECT h.niche_id, h.phrase FROM public.hot_niches_today AS h;
    CREATE MATERIALIZED VIEW reporting."Daily best" AS SELECT * FROM reporting.hottest;
    CREATE UNIQUE INDEX daily_best_idx ON reporting."Daily best" (niche_id);
    CREATE FUNCTION reporting.shout(niche public.hot_niches_today) RETURNS text
    LANGUAGE sql AS 'SELECT upper(niche.phrase)';
    GRANT SELECT ON public.hot_niches_today TO {team};
    COMMENT ON VIEW reporting.hottest IS 'It''s the lobby''s';
    COMMENT ON COLUMN reporting."Daily best".phrase IS 'Shown';
    ALTER VIEW reporting.hottest OWNER TO {team};
    ALTER FUNCTION reporting.shout OWNER TO {team};
    GRANT SELECT ON reporting.hottest TO {owner}, PUBLIC;
    GRANT SELECT (phrase) ON reporting."Daily best" TO {owner} WITH GRANT OPTION;
    REVOKE EXECUTE ON FUNCTION reporting.shout FROM PUBLIC;
"""


def run(url: URL, *statements: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        for statement in statements:
            done = connection.execute(statement.encode())
        return done.fetchall() if done.rownumber is not None else []


def nothing_was_made(url: URL) -> bool:
    """Neither Alembic's table nor a schema: not one step was run, and nothing was written down."""
    made = "SELECT to_regclass('alembic_version'), to_regnamespace('analytics'), to_regnamespace('sidb')"
    return run(url, made) == [(None, None, None)]


def reports(url: URL) -> dict[str, object]:
    """What the other team has, with owners, comments and privileges."""
    found = lived_in.fingerprint_of_found(url)
    return {name: was for name, was in found.items() if re.search(r"hottest|Daily best|daily_best|shout", name)}


def test_what_others_built_on_what_is_replaced(clone: Clone) -> None:
    url = clone("lived_in_matview")
    administrator = lived_in.administrator(url)
    run(administrator, ANOTHER_TEAMS.format(team=lived_in.TEAM, owner=lived_in.OWNER))
    before = reports(url)
    assert len(before) > 3
    said = refusal(Alembic(url).upgrade)
    assert said.startswith(
        "Not every step can be applied, so none was begun; nothing was changed.\n  function reporting.shout("
    )
    assert "  view reporting.hottest uses public.hot_niches_today, which 2.0.4 replaces\n" in said
    assert nothing_was_made(url)
    what, _, next_step = said.rpartition("\nNext: ")
    dropping = re.search(r"drop these \((.*)\), run it again", next_step)
    assert dropping, said
    again = what.partition("comments and grants:\n")[2]
    run(administrator, dropping[1])
    Alembic(url).upgrade()
    run(administrator, again)
    assert reports(url) == before
    assert current(url) == HEAD


def test_what_others_built_on_what_a_downgrade_drops(clone: Clone) -> None:
    url = clone("migrated_table")
    run(url, "CREATE VIEW report AS SELECT trend_vector FROM features")
    said = refusal(Alembic(url).downgrade)
    assert "  view public.report uses public.features.trend_vector, which 2.0.4 drops\n" in said
    assert current(url) == HEAD
    Alembic(url).downgrade("2.0.4")  # which leaves the column
    run(url, "DROP VIEW report")
    Alembic(url).downgrade()


def test_two_rows_of_alembic(clone: Clone) -> None:
    url = clone("migrated_table")
    run(url, "INSERT INTO alembic_version VALUES ('2.0.3')")
    for go in (Alembic(url).upgrade, strict(url).downgrade):
        said = refusal(go)
        assert said.startswith(f"alembic_version has 2 rows (2.0.3, {HEAD}), and 2.0.3 comes before {HEAD}: ")
    for command in (["upgrade"], ["upgrade", "--plan"], ["rollback", "1.0.0", "--yes"]):
        done = CliRunner().invoke(main, command, env={"DATABASE_URL": conninfo(url)})
        assert done.exit_code == 1, done.output
        assert "has 2 rows" in done.output
        assert "Traceback" not in done.output
    run(url, "DELETE FROM alembic_version WHERE version_num = '2.0.3'")
    Alembic(url).upgrade()


def test_two_rows_of_alembic_to_neither_of_which_the_last_step_led(clone: Clone) -> None:
    url = clone("migrated_table")
    run(url, "UPDATE alembic_version SET version_num = '2.0.4'", "INSERT INTO alembic_version VALUES ('2.0.3')")
    stamps = "`alembic stamp --purge 2.0.3` or `alembic stamp --purge 2.0.4`"
    assert f"\nNext: {stamps}, by what the database holds, writes that" in refusal(Alembic(url).upgrade)


def test_a_prepared_transaction_older_than_anybody_waits(clone: Clone, caplog: pytest.LogCaptureFixture) -> None:
    url = clone("phase1_table")
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        connection.execute("BEGIN; LOCK TABLE hot_niches_today IN ROW SHARE MODE; PREPARE TRANSACTION 'forgotten'")
        connection.execute("SELECT pg_sleep(0.3)")
        said = refusal(Alembic(url, x=("deadline=200ms",)).upgrade)
        assert "  blocked by prepared transaction 'forgotten' on hot_niches_today" in said
        assert nothing_was_made(url)
        with open_session(url, SCOPE) as session:  # whoever waits for longer is told
            look(session, [Planned(each, "upgrade") for each in script_directory().walk_revisions()])
        assert any("blocked by prepared transaction 'forgotten'" in message for message in caplog.messages)
        connection.execute("ROLLBACK PREPARED 'forgotten'")
    Alembic(url).upgrade()


def test_a_server_with_room_for_few_locks(pg_bin: Path) -> None:
    few = {"max_locks_per_transaction": "10", "max_connections": "8", "max_prepared_transactions": "0"}
    with throwaway_server(pg_bin, few) as server:
        clone = Templates(server).clone("phase1_table")
        url = next(clone)
        said = refusal(Alembic(url).upgrade)
        assert re.search(r"2\.0\.3 upgrade takes up to \d+ locks; the server has room for 80, of which \d+ are", said)
        assert "ALTER SYSTEM SET max_locks_per_transaction = " in said
        assert nothing_was_made(url)
        Alembic(url).upgrade("2.0.2")  # the smaller ones fit
        run(url, "CREATE ROLE waiting LOGIN SUPERUSER; ALTER ROLE waiting SET synchronous_commit = on")
        run(url, "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()")
        until(lambda: run(url, "SHOW synchronous_standby_names") == [("nobody",)], "it waits for a replica")
        said = refusal(Alembic(url.set(username="waiting")).upgrade)
        assert "synchronous_standby_names names replicas of which none is there" in said
        run(url, "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()")
        next(clone, None)


def test_a_materialized_view_that_does_not_fit_on_the_disk_twice(clone: Clone) -> None:
    url = clone("phase1_matview")
    run(url, "UPDATE pg_class SET relpages = 2000000000 WHERE oid = 'hot_niches_today'::regclass")
    said = refusal(Alembic(url).upgrade)
    assert re.search(r"  free space: tables, sorts, WAL: .* free, 49.2 TB needed\n", said)
    assert nothing_was_made(url)
    run(url, "ANALYZE hot_niches_today")
    Alembic(url).upgrade("2.0.4")


def test_the_look_writes_nothing(clone: Clone, shape: Shape) -> None:
    url = clone(f"lived_in_{shape}")
    before = run(url, "SELECT pg_current_xact_id_if_assigned(), count(*) FROM pg_class")
    steps = [Planned(each, "upgrade") for each in reversed(list(script_directory().walk_revisions()))]
    with open_session(url, SCOPE) as session:
        look(session, steps)
        held = session.observer.execute(
            "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation > 16384"
        )
        assert held.fetchone() == (0,)
    assert run(url, "SELECT pg_current_xact_id_if_assigned(), count(*) FROM pg_class") == before


def test_a_step_that_was_begun_goes_on_beside_what_others_built_on_its_half(clone: Clone) -> None:
    url = clone("phase1_matview")
    Alembic(url).upgrade("2.0.3")
    run(
        url,
        # The new materialized view is in its place; what then stamps the revision fails.
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'cut off'; END $$",
        "CREATE TRIGGER fail BEFORE UPDATE ON alembic_version FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    assert "cut off" in refusal(Alembic(url).upgrade)
    run(url, "DROP FUNCTION fail CASCADE", "CREATE VIEW report AS SELECT days_trending FROM hot_niches_today")
    Alembic(url).upgrade("2.2.0")  # 2.2.1 builds it anew, and is refused
    assert current(url) == "2.2.0"


WORN = """
    CREATE PROCEDURE wear() LANGUAGE plpgsql AS $$
    BEGIN
        FOR n IN 1..100010 LOOP
            PERFORM pg_current_xact_id();
            COMMIT;
        END LOOP;
    END $$
"""
SLOWLY = """
    ALTER TABLE features SET (
        autovacuum_enabled = false, autovacuum_freeze_max_age = 100000,
        autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1
    )
"""


def test_an_autovacuum_against_wraparound_is_told(pg_bin: Path) -> None:
    """It does not yield, also to a role that may not see what it is at."""
    with throwaway_server(pg_bin, {"autovacuum_naptime": "1s"}) as server:
        clone = Templates(server).clone("phase1_table")
        url = next(clone)
        run(url, SLOWLY, "INSERT INTO features (phrase) SELECT 'worn ' || n FROM generate_series(1, 20000) AS s (n)")
        run(url, WORN, "CALL wear()", "CREATE ROLE plain LOGIN; GRANT pg_read_all_data TO plain")
        wanted = {"public.features": "AccessExclusiveLock"}
        for role in ("postgres", "plain"):
            with open_session(url.set(username=role), SCOPE) as session:
                until(lambda session=session: list(holders(session, wanted)) != [], "autovacuum is at work")
                [found] = holders(session, wanted)
            assert "to prevent wraparound: it does not yield" in found.what
            assert not found.stops
        next(clone, None)


def test_an_obstacle_is_written_with_its_next_step() -> None:
    assert str(Obstacle("a door", "open it.", stops=False)) == "a door: open it."
