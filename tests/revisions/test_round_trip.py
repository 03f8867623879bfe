"""Up, down and up again: the database is byte for byte what it was, and nothing of anybody else is touched."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from operations import phase1
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.revisions.catalog import catalog, contents
from tests.revisions.conftest import Deployment
from tests.revisions.programs import COLUMNS

Dump = Callable[[Engine], str]

OTHER_PEOPLE = """
    CREATE TABLE public.users (user_id integer PRIMARY KEY, favourite bigint REFERENCES public.features);
    INSERT INTO public.users VALUES (1, 2);
    CREATE VIEW public.best_niches AS SELECT * FROM public.features WHERE opportunity > 1;
    CREATE MATERIALIZED VIEW public.niche_count AS SELECT count(*) FROM public.features;
    CREATE FUNCTION public.is_good(public.features) RETURNS boolean LANGUAGE sql AS 'SELECT $1.opportunity > 1';
    CREATE FUNCTION public.shout() RETURNS trigger LANGUAGE plpgsql
        AS 'BEGIN new.phrase := upper(new.phrase); RETURN new; END';
    CREATE TRIGGER shout BEFORE UPDATE OF phrase ON public.features FOR EACH ROW EXECUTE FUNCTION public.shout();
    COMMENT ON TABLE public.features IS 'ours, it''s said';
    CREATE SCHEMA other;
    CREATE TABLE other.features (niche_id bigint);
    GRANT SELECT (phrase) ON public.features TO PUBLIC;
"""
DATA = (
    f"SELECT {', '.join(COLUMNS)} FROM public.features",  # noqa: S608
    f"SELECT {', '.join(COLUMNS)} FROM public.hot_niches_today",  # noqa: S608
    "SELECT * FROM public.users",
    "SELECT * FROM public.best_niches",
    "SELECT * FROM public.niche_count",
    "SELECT last_value, is_called FROM public.features_niche_id_seq",
)


@pytest.fixture
def dump(pg_bin: Path) -> Dump:
    """Every schema as pg_dump writes it, but for Alembic's own table and the rollout's records."""
    options = ["--schema-only", "--exclude-table=public.alembic_version", "--exclude-schema=sidb"]
    if "--restrict-key" in subprocess.check_output([pg_bin / "pg_dump", "--help"], text=True):
        options.append("--restrict-key=same")  # else it draws one at random

    def run(engine: Engine) -> str:
        return subprocess.check_output([pg_bin / "pg_dump", *options, conninfo(engine.url)], text=True)

    return run


def schemas(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        query = "SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|sidb)' ORDER BY 1"
        return list(connection.execute(text(query)).scalars())


def test_up_down_up(deployment: Deployment, dump: Dump) -> None:
    engine = deployment.superuser
    with deployment.owner.begin() as connection:
        connection.exec_driver_sql(OTHER_PEOPLE)
    before, data = dump(engine), contents(engine, *DATA)
    deployment.alembic.upgrade()
    migrated = catalog(engine)
    deployment.alembic.downgrade()
    assert "analytics" not in before
    assert dump(engine) == before
    assert contents(engine, *DATA) == data
    assert schemas(engine) == ["other", "public"]

    deployment.alembic.upgrade()
    assert catalog(engine) == migrated
    deployment.run_phase1()
    with deployment.application.begin() as connection:
        # The way back refreshes the old view; compare it with a new one that is as fresh.
        phase1.refresh(connection, deployment.shape)
    data = contents(engine, *DATA)
    deployment.alembic.downgrade()
    assert dump(engine) == before
    assert contents(engine, *DATA) == data


def test_what_is_not_ours_in_analytics_stays(deployment: Deployment) -> None:
    """The schema is dropped only when it is empty; the next way up goes into the schema that is there."""
    deployment.alembic.upgrade()
    with deployment.owner.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE analytics.notes AS SELECT 'kept' AS note")
    deployment.alembic.downgrade()
    assert schemas(deployment.superuser) == ["analytics", "public"]
    left = [name for name in catalog(deployment.superuser) if "analytics" in name]
    assert left == ["schema analytics", "table analytics.notes", "column note of table analytics.notes"]
    deployment.alembic.upgrade()
    with deployment.owner.connect() as connection:
        assert connection.execute(text("SELECT note FROM analytics.notes")).scalars().all() == ["kept"]


def test_the_way_back_forgets_only_the_new_columns(clone: Clone, connect: Callable[..., Engine]) -> None:
    engine = connect(clone("migrated_table"))
    data = contents(engine, *DATA[:2])
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE public.features SET trend_vector = '[]', analytics_version = 3")
        connection.exec_driver_sql("UPDATE public.hot_niches_today SET trend_direction = 'rising', days_trending = 9")
    Alembic(engine.url).downgrade()
    assert contents(engine, *DATA[:2]) == data
