"""A Phase 1 that does not fit is refused, every difference listed and nothing changed; one that fits is accepted."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from alembic.util import CommandError
from sqlalchemy import Engine

from operations.embedded import Server
from operations.phase1 import Shape
from tests.fixtures import programs
from tests.fixtures.databases import Alembic, Clone, conninfo
from tests.revisions.catalog import catalog, contents
from tests.revisions.conftest import OWNER, deploy, make_role

Connect = Callable[..., Engine]


@dataclass(frozen=True)
class Damage:
    """What was done to Phase 1, and every line that the refusal must list."""

    name: str
    sql: str
    listed: list[str]
    shape: Shape = Shape.TABLE


DAMAGES = [
    Damage(
        "a column is missing",
        "ALTER TABLE public.features DROP COLUMN supply_score",
        ["public.features.supply_score: is missing, needs numeric(5,4)"],
    ),
    Damage(
        "a column of the materialized view is missing",
        """
        DROP MATERIALIZED VIEW public.hot_niches_today;
        CREATE MATERIALIZED VIEW public.hot_niches_today AS SELECT niche_id, phrase, opportunity FROM public.features
        """,
        [
            "public.hot_niches_today.demand_score: is missing, needs numeric(5,4)",
            "public.hot_niches_today.monetise_score: is missing, needs numeric(5,4)",
            "public.hot_niches_today.supply_score: is missing, needs numeric(5,4)",
            "public.hot_niches_today.updated_at: is missing, needs timestamp with time zone",
        ],
        Shape.MATVIEW,
    ),
    Damage(
        "wrong types",
        """
        ALTER TABLE public.features
            ALTER demand_score TYPE double precision,
            ALTER updated_at TYPE timestamp,
            ALTER opportunity TYPE text
        """,
        [
            "public.features.demand_score: is double precision, needs numeric(5,4)",
            "public.features.opportunity: is text, needs numeric(6,5)",
            "public.features.updated_at: is timestamp without time zone, needs timestamp with time zone",
        ],
    ),
    Damage(
        "numerics too narrow before or after the point",
        """
        UPDATE public.features SET opportunity = 0, monetise_score = 0.5;
        ALTER TABLE public.features ALTER opportunity TYPE numeric(6, 4), ALTER monetise_score TYPE numeric(4, 4)
        """,
        [
            "public.features.monetise_score: is numeric(4,4), needs numeric(5,4)",
            "public.features.opportunity: is numeric(6,4), needs numeric(6,5)",
        ],
    ),
    Damage(
        "the key is an integer",
        "ALTER TABLE public.features ALTER niche_id TYPE integer",
        ["public.features.niche_id: is integer, needs bigint"],
    ),
    Damage(
        "no primary key",
        "ALTER TABLE public.features DROP CONSTRAINT features_pkey",
        ["public.features.niche_id: has no primary key"],
    ),
    Damage(
        "a primary key of two columns",
        "ALTER TABLE public.features DROP CONSTRAINT features_pkey, ADD PRIMARY KEY (niche_id, phrase)",
        ["public.features.niche_id: has no primary key"],
    ),
    Damage(
        "phrases need not be unique",
        "ALTER TABLE public.features DROP CONSTRAINT features_phrase_key",
        ["public.features.phrase: has no unique constraint"],
    ),
    Damage(
        "phrases are unique only in part",
        """
        ALTER TABLE public.features DROP CONSTRAINT features_phrase_key;
        CREATE UNIQUE INDEX features_phrase_key ON public.features (phrase) WHERE opportunity > 0
        """,
        ["public.features.phrase: has no unique constraint"],
    ),
    Damage(
        "features is a view",
        """
        ALTER TABLE public.features RENAME TO niches;
        CREATE VIEW public.features AS SELECT * FROM public.niches
        """,
        ["public.features: is a view, needs a table"],
    ),
    Damage(
        "features is partitioned",
        """
        DROP TABLE public.features;
        CREATE TABLE public.features (niche_id bigint PRIMARY KEY) PARTITION BY RANGE (niche_id)
        """,
        ["public.features: is a partitioned table, needs a table"],
    ),
    Damage(
        "features is a partition",
        """
        CREATE TABLE public.niches (LIKE public.features) PARTITION BY RANGE (niche_id);
        ALTER TABLE public.niches ATTACH PARTITION public.features DEFAULT
        """,
        ["public.features: is a partition, needs a table of its own"],
    ),
    Damage(
        "features is unlogged",
        "ALTER TABLE public.features SET UNLOGGED",
        ["public.features: is unlogged, needs a permanent table; others will refer to it"],
    ),
    Damage(
        "hot_niches_today is missing",
        "DROP TABLE public.hot_niches_today",
        ["public.hot_niches_today: is missing"],
    ),
    Damage(
        "hot_niches_today is a plain view",
        """
        DROP MATERIALIZED VIEW public.hot_niches_today;
        CREATE VIEW public.hot_niches_today AS SELECT * FROM public.features
        """,
        ["public.hot_niches_today: is a view, needs a table or a materialized view"],
        Shape.MATVIEW,
    ),
    Damage("features is missing", "DROP TABLE public.features", ["public.features: is missing"]),
    Damage(
        "columns of Phase 2 are there already",
        """
        ALTER TABLE public.features ADD trend_vector text;
        ALTER TABLE public.hot_niches_today ADD days_trending integer
        """,
        [
            "public.features.trend_vector: is there already, Phase 2 adds it",
            "public.hot_niches_today.days_trending: is there already, Phase 2 adds it",
        ],
    ),
    Damage(
        "several at once",
        """
        ALTER TABLE public.features DROP COLUMN phrase, DROP CONSTRAINT features_pkey, ADD analytics_version integer;
        ALTER TABLE public.hot_niches_today ALTER niche_id TYPE integer
        """,
        [
            "public.features.analytics_version: is there already, Phase 2 adds it",
            "public.features.niche_id: has no primary key",
            "public.features.phrase: is missing, needs text",
            "public.hot_niches_today.niche_id: is integer, needs bigint",
        ],
    ),
]


NOTHING = (
    "No step was applied; 1.0.0 upgrade was not finished: nothing of it stays. The database is as it was before, and"
    " applications can use it as it is."
)


def refusal(engine: Engine) -> list[str]:
    """What the upgrade says, line by line."""
    with pytest.raises(CommandError) as refused:
        Alembic(engine.url).upgrade()
    return str(refused.value).splitlines()


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_a_damaged_phase1_is_refused(clone: Clone, connect: Connect, damage: Damage) -> None:
    engine = connect(clone(f"phase1_{damage.shape}"))
    with engine.begin() as connection:
        connection.exec_driver_sql(damage.sql)
    before = catalog(engine)
    said = refusal(engine)
    assert said[0] == "Phase 1 as it is here does not fit Phase 2; nothing was changed:"
    assert said[1:-2] == [f"  - {line}" for line in damage.listed]
    assert said[-2] == NOTHING
    assert said[-1].startswith("Next: mend these, ")
    assert catalog(engine) == before


def test_a_foreign_owner_and_row_security(server: Server, clone: Clone, connect: Connect) -> None:
    deployment = deploy(server, clone("empty"), Shape.TABLE, connect, niches=10)
    make_role(server, "phase1_stranger")
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(f"""
            GRANT CREATE ON DATABASE {deployment.superuser.url.database} TO phase1_stranger;
            GRANT ALL ON SCHEMA public TO phase1_stranger;
            ALTER TABLE public.features ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
        """)
    before = catalog(deployment.superuser)
    hidden = "has row security that {} does not bypass; a migration has to see every row"
    assert refusal(deployment.owner)[1:-1] == [f"  - public.features: {hidden.format(OWNER)}", NOTHING]
    assert catalog(deployment.superuser) == before

    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA sidb CASCADE")  # the records are those of whom they refused first
    stranger = connect(deployment.superuser.url.set(username="phase1_stranger"))
    assert refusal(stranger)[1:] == [
        f"  public.features belongs to {OWNER}",
        f"  public.hot_niches_today belongs to {OWNER}",
        f"Next: as an administrator: GRANT {OWNER} TO phase1_stranger;",
        "Then run it again, which is safe.",
    ]
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(f"GRANT {OWNER} TO phase1_stranger")
    assert refusal(stranger)[1:-1] == [f"  - public.features: {hidden.format('phase1_stranger')}", NOTHING]
    assert catalog(deployment.superuser) == before
    with deployment.superuser.begin() as connection:
        connection.exec_driver_sql(f"REVOKE {OWNER} FROM phase1_stranger")


def test_the_command_says_it_without_a_traceback(clone: Clone, connect: Connect) -> None:
    engine = connect(clone("phase1_table"))
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE public.features DROP COLUMN supply_score, DROP COLUMN demand_score")
    before = catalog(engine)
    result = programs.run("alembic", "upgrade", "head", env={"DATABASE_URL": conninfo(engine.url)})
    assert result.returncode > 0
    assert result.stdout.splitlines() == [
        "FAILED: Phase 1 as it is here does not fit Phase 2; nothing was changed:",
        "  - public.features.demand_score: is missing, needs numeric(5,4)",
        "  - public.features.supply_score: is missing, needs numeric(5,4)",
        NOTHING,
        "Next: mend these, or move the tables that are not Phase 1's out of the way, and run the upgrade again",
    ]
    assert catalog(engine) == before


ACCEPTED = {
    "phrase is varchar": "ALTER TABLE public.features ALTER phrase TYPE varchar(200)",
    "wider numerics": "ALTER TABLE public.features ALTER opportunity TYPE numeric(9, 6),"
    " ALTER supply_score TYPE numeric(7, 4)",
    "unconstrained numerics": "ALTER TABLE public.features ALTER opportunity TYPE numeric,"
    " ALTER supply_score TYPE numeric",
    "more columns": "ALTER TABLE public.features ADD notes text, ADD created_by text NOT NULL DEFAULT current_user;"
    " ALTER TABLE public.hot_niches_today ADD place integer",
    "columns dropped and in another order": "ALTER TABLE public.features DROP updated_at, DROP phrase,"
    " ADD updated_at timestamptz DEFAULT now(), ADD phrase text UNIQUE",
    "a unique index instead of the constraint": "ALTER TABLE public.features DROP CONSTRAINT features_phrase_key;"
    " CREATE UNIQUE INDEX features_phrase_key ON public.features (phrase)",
    "no indexes": "DROP INDEX public.features_phrase_idx, public.features_opportunity_idx",
    "other tables": "CREATE TABLE public.users (user_id integer PRIMARY KEY);"
    " CREATE SCHEMA other; CREATE TABLE other.features (a text);"
    " CREATE VIEW public.best AS SELECT * FROM public.features",
    "hot niches like features": "DROP TABLE public.hot_niches_today;"
    " CREATE TABLE public.hot_niches_today (LIKE public.features INCLUDING ALL)",
    "referred to by others": "CREATE TABLE public.notes (niche_id bigint REFERENCES public.features)",
}


@pytest.mark.parametrize("variant", ACCEPTED, ids=str)
def test_a_phase1_that_holds_the_data_is_accepted(clone: Clone, connect: Connect, variant: str) -> None:
    engine = connect(clone("phase1_table"))
    with engine.begin() as connection:
        connection.exec_driver_sql(ACCEPTED[variant])
    before = catalog(engine)
    rows = "SELECT f::text FROM public.features AS f"
    data = contents(engine, rows)
    Alembic(engine.url).upgrade()
    Alembic(engine.url).check()
    Alembic(engine.url).downgrade()
    after = catalog(engine)
    assert {name: found for name, found in after.items() if "alembic_version" not in name} == before
    assert contents(engine, rows) == data
