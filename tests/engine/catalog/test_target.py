"""Where the models are built for a comparison, and that nothing of it stays."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from alembic_online import Additions
from alembic_online.catalog import Identity, target
from alembic_online.catalog.other_names import beside, locked, renaming
from alembic_online.catalog.target import NotComparedError, compare
from alembic_online.errors import OnlineError
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text

from models import views
from operations.embedded import Server
from operations.phase1 import Shape
from operations.scope import SCOPE
from tests.fixtures.databases import Alembic, Clone

Connect = Callable[..., Engine]


@pytest.fixture(autouse=True)
def _nothing_built_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(target, "_built", {})


@pytest.fixture
def owner(server: Server) -> Iterator[str]:
    """A role that is no superuser and may not create databases. Asked for first, so that it goes last."""
    name = "sidb_plain_owner"
    with create_engine(
        server.url("postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT"
    ).connect() as connection:
        connection.execute(text(f"CREATE ROLE {name} LOGIN CREATEROLE"))
        yield name
        connection.execute(text(f"DROP ROLE {name}"))


def owned(url: URL, name: str) -> URL:
    """The address of a Phase 1 database for a role that owns it and its tables."""
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {url.database} OWNER TO {name}"))
        connection.execute(text(f"ALTER TABLE features OWNER TO {name}"))
        connection.execute(text(f"ALTER TABLE hot_niches_today OWNER TO {name}"))
    return url.set(username=name)


def scratch_databases(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text("SELECT datname FROM pg_database WHERE datname LIKE 'sidb%scratch%'")))


def compared(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return [str(change) for change in compare(connection, SCOPE).changes()]


def test_a_migrated_database_is_what_the_models_mean(clone: Clone, connect: Connect, shape: Shape) -> None:
    url = clone(f"migrated_{shape}")
    assert compared(connect(url)) == []
    Alembic(url).check()
    assert scratch_databases(connect(url)) == []


def test_other_peoples_objects_and_grants_are_not_compared(owner: str, migrated: Engine) -> None:
    with migrated.begin() as connection:
        connection.execute(text("CREATE TABLE theirs (id bigint)"))
        connection.execute(text(f"GRANT SELECT ON features, analytics.current_trends TO {owner}"))
        connection.execute(text("GRANT SELECT ON features TO PUBLIC"))
    assert compared(migrated) == []
    Alembic(migrated.url).check()
    with migrated.begin() as connection:
        connection.execute(text(f"REVOKE ALL ON features, analytics.current_trends FROM {owner}"))


def test_it_is_built_once_a_process(migrated: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compared(migrated) == []
    monkeypatch.setattr(target, "_build", None)
    assert compared(migrated) == []


def test_a_scratch_database_that_a_killed_process_left_goes_with_the_next_use(migrated: Engine) -> None:
    script = (
        "import sys; from sqlalchemy import make_url; from alembic_online.catalog.target import _scratch_database\n"
        "with _scratch_database(make_url(sys.argv[1]), 'sidb_scratch', sys.argv[2]) as connection:\n"
        "    print('built', flush=True); sys.stdin.read()"
    )
    address = migrated.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", script, address, SCOPE.path]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "built\n"
        [left] = scratch_databases(migrated)
        assert compared(migrated) == []
        assert scratch_databases(migrated) == [left]  # in use by a living session
        process.send_signal(signal.SIGKILL)
    with migrated.connect() as connection:  # its server process notices in its own time
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'sidb_scratch'"
            )
        )
    target._built.clear()
    assert compared(migrated) == []
    assert scratch_databases(migrated) == []


BESIDE = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'sidb%scratch%'"


@pytest.mark.parametrize("lived_in_", ["", "lived_in_"])
def test_without_createdb_it_is_built_beside_those_who_work(
    owner: str, clone: Clone, connect: Connect, shape: Shape, lived_in_: str
) -> None:
    """One session has written, another one has read, and neither has ended; a third one asks for the table alone."""
    url = clone(f"lived_in_{shape}") if lived_in_ else owned(clone(f"phase1_{shape}"), owner)
    administrator = url.set(username="postgres")
    Alembic(url).upgrade()
    url = owned(administrator, owner)
    mine = connect(url, poolclass=NullPool)
    with connect(administrator).connect() as writer, connect(administrator).connect() as reader:
        writer.execute(text("UPDATE features SET opportunity = 1 WHERE niche_id = 2"))
        writer.execute(text("INSERT INTO analytics.stale_views (view_name) VALUES ('trending_niches')"))
        reader.execute(text("SELECT * FROM hot_niches_today, analytics.trend_cache, features"))
        assert compared(mine) == []
        if shape is Shape.TABLE:
            writer.execute(text("LOCK TABLE hot_niches_today IN EXCLUSIVE MODE"))
        target._built.clear()
        assert compared(mine) == []
    with connect(administrator).begin() as connection:
        connection.execute(text("DROP VIEW analytics.current_trends"))
    target._built.clear()
    assert "added view analytics.current_trends" in compared(mine)
    with mine.connect() as connection:
        assert connection.scalars(text(BESIDE)).all() == []


def test_what_is_built_beside_takes_no_lock_on_anything_that_is_there(
    owner: str, clone: Clone, connect: Connect
) -> None:
    url = owned(clone("migrated_table"), owner)
    with connect(url).connect() as connection, beside(connection, SCOPE) as (place, names):
        with renaming(place, names):
            SCOPE.build_target(place, SCOPE.variant(connection))
        assert locked(place, names) == []
        place.execute(text("SELECT FROM public.features LIMIT 0"))
        assert "public.features" in locked(place, names)
        assert len(place.scalars(text(BESIDE)).all()) == 3


def test_models_that_would_touch_what_is_there_are_not_believed(owner: str, clone: Clone, connect: Connect) -> None:
    url = owned(clone("migrated_table"), owner)

    def build(connection: Connection, variant: Hashable) -> None:
        SCOPE.build_target(connection, variant)
        connection.execute(text("DO $$ BEGIN EXECUTE 'SELECT FROM pub' || 'lic.features'; END $$"))

    with connect(url).connect() as connection, pytest.raises(NotComparedError, match=r"touched public\.features"):
        compare(connection, replace(SCOPE, build=build))


def test_without_the_right_to_create_anything_nothing_is_claimed(owner: str, clone: Clone, connect: Connect) -> None:
    url = owned(clone("migrated_table"), owner)
    with connect(url.set(username="postgres")).begin() as connection:
        connection.execute(text(f"ALTER DATABASE {url.database} OWNER TO postgres"))
    with (
        connect(url).connect() as connection,
        pytest.raises(NotComparedError, match=r"permission denied for database .*\nNext: .*SCRATCH_DATABASE_URL"),
    ):
        compare(connection, SCOPE)


def test_a_scratch_database_of_ones_own_serves_too_and_stays_as_it_is(
    clone: Clone, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = clone("phase1_table")  # holds the same names
    monkeypatch.setenv("SCRATCH_DATABASE_URL", scratch.render_as_string(hide_password=False))
    monkeypatch.setattr(target, "_scratch_database", None)  # another one is not made
    assert compared(connect(clone("migrated_table"))) == []
    with connect(scratch).connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM features")) == 200
        assert connection.scalar(text("SELECT to_regnamespace('analytics')")) is None


def test_models_that_cannot_be_built_say_so(migrated: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    copy = tmp_path / "sql"
    shutil.copytree(views.SQL, copy)
    (copy / "views/current_trends.sql").write_text(
        "CREATE VIEW analytics.current_trends AS SELECT nothing FROM nowhere"
    )
    monkeypatch.setattr(views, "SQL", copy)
    with pytest.raises(OnlineError, match=r"cannot be built.*nowhere.*CREATE VIEW analytics.current_trends"):
        compared(migrated)


def test_a_role_that_does_not_exist_here_is_left_out_and_said(
    migrated: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    scope = replace(SCOPE, group_roles=("analytics_reader", "analytics_writer", "analytics_nobody"))
    with migrated.connect() as connection:
        compared = compare(connection, scope)
    assert "Grants to analytics_nobody are left out" in caplog.text
    assert Identity("privilege", "analytics", "trend_cache", "analytics_reader") in compared.here
    assert compared.here == compared.target


NAMED_IN_EVERY_WAY = """
    CREATE SCHEMA IF NOT EXISTS "order"; CREATE SCHEMA IF NOT EXISTS "Two Words";
    CREATE TABLE "order".items (item_id bigserial PRIMARY KEY, note text DEFAULT 'in order.items, public. Yes');
    CREATE TABLE "Two Words"."A.b" (item_id bigint REFERENCES "order".items, own "order".items);
    CREATE TYPE public.mood AS ENUM ('order', 'public');
    CREATE TABLE shared (felt public.mood DEFAULT 'public', item bigint REFERENCES "order" . items);
    CREATE FUNCTION public.same(mood, public.mood) RETURNS boolean
        LANGUAGE sql IMMUTABLE AS 'SELECT $1::text = $2::text';
    CREATE OPERATOR public.=== (LEFTARG = public.mood, RIGHTARG = mood, FUNCTION = same);
    CREATE FUNCTION "order".bound() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM "order".items; END;
    CREATE FUNCTION "order".unbound() RETURNS setof text LANGUAGE sql SET search_path = pg_catalog, "order", public AS
        $$ SELECT relname::text FROM pg_class
        WHERE relnamespace = '"order"'::regnamespace AND relname IN (SELECT note FROM items) $$;
    CREATE VIEW "order".view AS SELECT i.item_id, s.felt OPERATOR(public.===) 'public' AS is_public
        FROM "order".items AS i LEFT JOIN public.shared AS s ON s.item = i.item_id;
    CREATE MATERIALIZED VIEW "Two Words".kept AS SELECT * FROM "order".items;
    CREATE INDEX ON "Two Words".kept (item_id);
    CREATE TRIGGER looked BEFORE UPDATE ON public.shared
        FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
    CREATE POLICY own ON "order".items USING (EXISTS (SELECT FROM public.shared WHERE item = item_id));
    COMMENT ON SCHEMA "order" IS 'order';
    COMMENT ON COLUMN public.shared.felt IS 'of public.mood';
    GRANT USAGE ON SCHEMA "order", public TO pg_monitor;
    GRANT SELECT ON ALL TABLES IN SCHEMA "order", "Two Words" TO pg_monitor;
"""


@pytest.mark.parametrize("which", ["table", "materialized view", "names"])
def test_what_is_built_beside_is_what_is_built_alone(clone: Clone, connect: Connect, which: str) -> None:
    url = clone("migrated_table")
    scope, variant = SCOPE, (which != "table", ())

    def build(connection: Connection, _variant: Hashable) -> None:
        connection.exec_driver_sql(NAMED_IN_EVERY_WAY, execution_options={"no_parameters": True})

    if which == "names":
        shared = {"public.shared": Additions(columns=("felt", "item"), triggers=("looked",))}
        scope = replace(
            SCOPE, schemas=("order", "Two Words", "public"), shared=shared, build=build, group_roles=("pg_monitor",)
        )
    with target._scratch_database(url, "sidb_scratch", scope.path) as scratch:
        alone = target._build(scratch, scope, variant)
    with connect(url).connect() as connection:
        there = target._build_beside(connection, scope, variant)
    assert len(alone) > 20
    assert there == alone
    assert (list(there), there.removals, there.columns) == (list(alone), alone.removals, alone.columns)
    assert there.uses == alone.uses
