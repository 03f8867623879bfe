"""What the scope calls ours on Phase 1's tables is what the revisions made there, neither more nor less."""

from collections.abc import Callable

import pytest
from sqlalchemy import Engine, text

from operations.phase1 import Shape
from operations.queries import query
from operations.scope import SCOPE
from tests.fixtures.databases import Alembic, Clone
from tests.revisions.catalog import catalog
from tests.revisions.test_adoption import ACCEPTED, DAMAGES, Damage

Connect = Callable[..., Engine]
# They change Phase 1's own columns and keys, on which others' objects stand where there are any.
of_phase_1_alone = pytest.mark.clean


def on_shared(engine: Engine) -> set[str]:
    """Columns, constraints, indexes and triggers of the two relations, by their names."""
    with engine.connect() as connection:
        return set(
            connection.scalars(
                text("""
                    WITH shared AS (SELECT unnest(ARRAY['public.features'::regclass, 'public.hot_niches_today']) AS oid)
                    SELECT oid::regclass || '.' || part FROM (
                        SELECT attrelid, attname FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped
                        UNION ALL SELECT conrelid, conname FROM pg_constraint WHERE contype <> 'n'
                        UNION ALL SELECT i.indrelid, c.relname FROM pg_index AS i
                        JOIN pg_class AS c ON c.oid = i.indexrelid
                        UNION ALL SELECT tgrelid, tgname FROM pg_trigger WHERE NOT tgisinternal
                        UNION ALL SELECT polrelid, polname FROM pg_policy
                        UNION ALL SELECT ev_class, rulename FROM pg_rewrite WHERE rulename <> '_RETURN'
                        UNION ALL SELECT stxrelid, stxname FROM pg_statistic_ext
                    ) AS parts (oid, part)
                    JOIN shared USING (oid)
                """)
            )
        )


def test_the_additions_are_those_of_the_history(clone: Clone, connect: Connect, shape: Shape) -> None:
    engine = connect(clone(f"phase1_{shape}"), connect_args={"options": "-c search_path=pg_catalog"})
    before = on_shared(engine)
    commented = {name for name, found in catalog(engine).items() if found["comment"]}
    engine.dispose()
    Alembic(engine.url).upgrade()
    made = on_shared(engine) - before
    said = set(SCOPE.additions)
    if shape is Shape.MATVIEW:  # which can have neither constraints nor triggers
        said = {name for name in said if "hot_niches" not in name or name.rpartition(".")[2] in THREE}
    assert made == said
    # Comments stand on what is ours, and nowhere else.
    names = {name.rpartition(".")[2] for name in said}
    for described, found in catalog(engine).items():
        if found["comment"] and described not in commented and ("features" in described or "hot_niches" in described):
            assert "analytics" in described or names & set(described.split()), described


THREE = ("trend_direction", "trend_confidence", "days_trending")


def lacks(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(text(query("verify/phase1_lacks"))))


@of_phase_1_alone
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.name)
def test_what_adoption_refuses_fails_later_too(clone: Clone, connect: Connect, damage: Damage) -> None:
    engine = connect(clone(f"phase1_{damage.shape}"))
    with engine.begin() as connection:
        connection.exec_driver_sql(damage.sql)
    assert lacks(engine) == [line for line in damage.listed if not line.endswith("Phase 2 adds it")]


@of_phase_1_alone
@pytest.mark.parametrize("variant", ACCEPTED, ids=str)
def test_what_adoption_accepts_passes_later_too(clone: Clone, connect: Connect, variant: str) -> None:
    engine = connect(clone("phase1_table"))
    with engine.begin() as connection:
        connection.exec_driver_sql(ACCEPTED[variant])
    assert lacks(engine) == []
