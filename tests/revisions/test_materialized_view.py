"""``hot_niches_today`` as a materialized view: the new one has all that the old one had, and the old one returns."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest
from alembic.util import CommandError
from sqlalchemy import Engine, text

from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures.databases import Clone, conninfo
from tests.revisions.catalog import Catalog, catalog, contents
from tests.revisions.conftest import APPLICATION, OWNER, Deployment, deploy, make_role
from tests.revisions.test_round_trip import Dump, dump

__all__ = ["dump"]

NEW_COLUMNS = {"trend_direction", "trend_confidence", "days_trending"}

DRESSED = f"""
    COMMENT ON MATERIALIZED VIEW public.hot_niches_today IS 'it''s \\ hot';
    COMMENT ON COLUMN public.hot_niches_today.phrase IS '100 % :phrase';
    COMMENT ON INDEX public.hot_niches_today_opportunity_idx IS 'best first';
    ALTER MATERIALIZED VIEW public.hot_niches_today SET (fillfactor = 70, autovacuum_enabled = false);
    CREATE UNIQUE INDEX hot_key ON public.hot_niches_today (niche_id) INCLUDE (phrase) WITH (fillfactor = 80);
    CREATE INDEX "Odd ""index" ON public.hot_niches_today (lower(phrase) text_pattern_ops) WHERE opportunity > 0.5;
    ALTER MATERIALIZED VIEW public.hot_niches_today CLUSTER ON hot_key;
    GRANT phase1_reader TO {OWNER};
    SET ROLE {APPLICATION};
    GRANT SELECT ON public.hot_niches_today TO phase1_reader WITH GRANT OPTION;
    GRANT SELECT (phrase, opportunity) ON public.hot_niches_today TO phase1_reader WITH GRANT OPTION;
    GRANT SELECT (niche_id) ON public.hot_niches_today TO PUBLIC;
    REVOKE TRUNCATE ON public.hot_niches_today FROM {APPLICATION};
    SET ROLE phase1_reader;
    GRANT SELECT ON public.hot_niches_today TO "Phase1 guest";
    GRANT SELECT (phrase) ON public.hot_niches_today TO "Phase1 guest";
    RESET ROLE;
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT ALL ON TABLES TO PUBLIC, phase1_reader;
    ALTER DEFAULT PRIVILEGES FOR ROLE {OWNER} GRANT EXECUTE ON FUNCTIONS TO "Phase1 guest";
"""  # noqa: S608


@pytest.fixture
def deployment(server: Server, clone: Clone, connect: Callable[..., Engine]) -> Deployment:
    return deploy(server, clone("empty"), Shape.MATVIEW, connect)


@pytest.fixture
def dressed(server: Server, deployment: Deployment) -> Deployment:
    """The view with all that a view can have, set by the application and by those it passed rights on to."""
    for role in ("phase1_reader", "Phase1 guest"):
        make_role(server, role)
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(DRESSED, execution_options={"no_parameters": True})
    return deployment


def about_the_view(found: Catalog) -> Catalog:
    """The view, its columns and indexes, without its query and the columns that Phase 2 gives it."""
    new = {f"column {column} of materialized view public.hot_niches_today" for column in NEW_COLUMNS}
    return {
        name: {**definition, "query": None}
        for name, definition in found.items()
        if name not in new
        and ("public.hot_niches_today" in name or " ON public.hot_niches_today " in definition.get("index", ""))
    }


def oids(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        query = """
            SELECT c.oid FROM pg_class AS c
            WHERE c.oid = 'public.hot_niches_today'::regclass
                OR c.oid IN (SELECT indexrelid FROM pg_index WHERE indrelid = 'public.hot_niches_today'::regclass)
            ORDER BY 1
        """
        return list(connection.execute(text(query)).scalars())


@pytest.mark.parametrize("populated", [True, False])
def test_the_new_view_has_what_the_old_one_had(dressed: Deployment, dump: Dump, populated: bool) -> None:
    engine = dressed.superuser
    if not populated:
        with dressed.application.begin() as connection:
            connection.exec_driver_sql("REFRESH MATERIALIZED VIEW hot_niches_today WITH NO DATA")
    before, dumped, identities = about_the_view(catalog(engine)), dump(engine), oids(engine)
    assert len(before) == 11  # the view, its seven columns, three indexes
    for _ in range(2):
        dressed.alembic.upgrade()
        assert about_the_view(catalog(engine)) == before
        assert set(oids(engine)).isdisjoint(identities)
        dressed.alembic.downgrade()
        assert about_the_view(catalog(engine)) == before
        assert dump(engine) == dumped
        assert oids(engine) == identities


def test_an_owner_with_less_than_everything(deployment: Deployment) -> None:
    """Privileges that are as the owner made them, not PostgreSQL's default."""
    with deployment.application.begin() as connection:
        connection.exec_driver_sql(f"REVOKE ALL ON public.hot_niches_today FROM {APPLICATION}")
    name = "materialized view public.hot_niches_today"
    before = catalog(deployment.superuser)[name]["privileges"]
    assert before == []
    deployment.alembic.upgrade()
    assert catalog(deployment.superuser)[name]["privileges"] == before


def test_a_grantor_that_the_owner_cannot_act_for(server: Server, deployment: Deployment) -> None:
    make_role(server, "phase1_passer")
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql("""
            GRANT SELECT ON public.hot_niches_today TO phase1_passer WITH GRANT OPTION;
            SET ROLE phase1_passer;
            GRANT SELECT ON public.hot_niches_today TO PUBLIC;
            RESET ROLE;
        """)
    before = about_the_view(catalog(deployment.superuser))
    with pytest.raises(CommandError) as refused:
        deployment.alembic.upgrade()
    assert f"phase1_passer passed privileges on hot_niches_today, and {OWNER} cannot act as it" in str(refused.value)
    assert f"Next: as an administrator: GRANT phase1_passer TO {OWNER};" in str(refused.value)
    assert about_the_view(catalog(deployment.superuser)) == before
    deployment.run_phase1()
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(f"GRANT phase1_passer TO {OWNER}")
    deployment.alembic.upgrade()
    assert about_the_view(catalog(deployment.superuser)) == before
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(f"REVOKE phase1_passer FROM {OWNER}")


@pytest.mark.parametrize(
    ("statements", "named"),
    [
        ("CREATE VIEW public.v AS SELECT phrase FROM public.hot_niches_today", "view public.v"),
        (
            "CREATE VIEW public.v AS SELECT phrase FROM public.hot_niches_today;"
            " CREATE MATERIALIZED VIEW public.on_v AS SELECT * FROM public.v",
            "view public.v",
        ),
        (
            "CREATE FUNCTION public.f(public.hot_niches_today) RETURNS text LANGUAGE sql AS 'SELECT $1.phrase'",
            "function public.f(public.hot_niches_today)",
        ),
        (
            "CREATE FUNCTION public.f(public.hot_niches_today[]) RETURNS text LANGUAGE sql AS 'SELECT ''a'''",
            "function public.f(public.hot_niches_today[])",
        ),
        ("CREATE TABLE public.kept (hot public.hot_niches_today)", "column hot of table public.kept"),
    ],
)
def test_what_depends_on_the_view_is_named(deployment: Deployment, statements: str, named: str) -> None:
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(statements)
    before = catalog(deployment.superuser)
    with pytest.raises(CommandError) as refused:
        deployment.alembic.upgrade()
    assert f"  {named} uses public.hot_niches_today, which 2.0.4 replaces\n" in str(refused.value)
    asked = str(refused.value).partition("\nNext: ")[2]
    if named.startswith("column"):
        told = "have their owners detach what holds data, which keeps it (ALTER TABLE public.kept ALTER COLUMN hot TYPE"
        assert asked.startswith(told)
    else:
        assert asked.startswith("have their owners drop these")
    assert catalog(deployment.superuser) == before
    deployment.run_phase1()


PAUSED, GO_ON = 43, 42  # advisory locks: what the paused migration holds, and what it is paused by
PAUSE = f"""
    -- It asks again instead of waiting: the migration's lock_timeout would end a wait.
    CREATE FUNCTION public.pause() RETURNS event_trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF NOT EXISTS (
            SELECT FROM pg_catalog.pg_event_trigger_ddl_commands() WHERE object_identity LIKE '%%.{{view}}'
        ) THEN
            RETURN;
        END IF;
        PERFORM pg_catalog.pg_try_advisory_xact_lock({PAUSED});
        FOR attempt IN 1..6000 LOOP
            EXIT WHEN pg_catalog.pg_try_advisory_xact_lock_shared({GO_ON});
            PERFORM pg_catalog.pg_sleep(0.01);
        END LOOP;
    END
    $$;
    CREATE EVENT TRIGGER pause ON ddl_command_end WHEN TAG IN ('{{tag}}') EXECUTE FUNCTION public.pause();
"""
STANDS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted AND database = %s"


@contextmanager
def paused_after(
    tag: str, deployment: Deployment, migrate: Callable[[], None], view: str = "hot_niches_today"
) -> Iterator[psycopg.Connection]:
    """Inside the block the migration stands after its first statement with `tag` on the view; outside it is done."""
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(PAUSE.format(tag=tag, view=view))
    with psycopg.connect(conninfo(deployment.application.url), autocommit=True) as session:
        [database] = session.execute("SELECT oid FROM pg_database WHERE datname = current_database()").fetchone() or [0]
        session.execute("SELECT pg_advisory_lock(%s)", [GO_ON])
        migration = threading.Thread(target=migrate, daemon=True)
        migration.start()
        try:
            deadline = time.monotonic() + 60
            while session.execute(STANDS, [PAUSED, database]).fetchone() == (0,):
                assert migration.is_alive(), "the migration ended before it was held up"
                assert time.monotonic() < deadline
            yield session
            assert session.execute(STANDS, [PAUSED, database]).fetchone() == (1,), "it went on by itself"
        finally:
            session.execute("SELECT pg_advisory_unlock_all()")
            migration.join(60)
    assert not migration.is_alive()
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql("DROP EVENT TRIGGER pause; DROP FUNCTION public.pause()")


SCORED = "SELECT phrase, opportunity, updated_at FROM features ORDER BY opportunity DESC LIMIT 50"
SHOWN = "SELECT phrase, opportunity, updated_at FROM hot_niches_today"


def score(session: psycopg.Connection) -> None:
    with session.transaction():
        session.execute("UPDATE features SET opportunity = niche_id / 100.0, updated_at = now()")
        session.execute("REFRESH MATERIALIZED VIEW hot_niches_today")


def test_a_refresh_while_the_new_view_is_built_is_not_lost(deployment: Deployment) -> None:
    with paused_after("CREATE MATERIALIZED VIEW", deployment, partial(deployment.alembic.upgrade, "2.0.4")) as session:
        score(session)
    assert "column days_trending of materialized view public.hot_niches_today" in catalog(deployment.superuser)
    assert contents(deployment.superuser, SHOWN) == contents(deployment.superuser, SCORED)


def test_a_refresh_while_the_old_view_is_filled_is_not_lost(deployment: Deployment) -> None:
    deployment.alembic.upgrade("2.0.4")
    with paused_after(
        "REFRESH MATERIALIZED VIEW", deployment, partial(deployment.alembic.downgrade, "2.0.3")
    ) as session:
        score(session)
    assert "column days_trending of materialized view public.hot_niches_today" not in catalog(deployment.superuser)
    assert contents(deployment.superuser, SHOWN) == contents(deployment.superuser, SCORED)
