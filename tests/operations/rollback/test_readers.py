"""Who reads platform_comparison during a restore, or after one that stopped, gets rows and no error."""

from functools import partial

import psycopg
import pytest
from sqlalchemy import Engine, text

from models.reader import readers
from operations.phase1 import Shape
from tests.engine.conftest import catalog
from tests.fixtures.databases import Alembic, conninfo
from tests.fixtures.ended import counted, stopped
from tests.operations.rollback.conftest import Fill, bring_back, execute, roll_back, rows

VIEW = "analytics.platform_comparison"
COUNT = f"SELECT count(*) FROM {VIEW}"  # noqa: S608
COMPARED = 50
"""Its rows in the filled database."""
VALIDATED = r"^ALTER TABLE analytics\.\w+ VALIDATE CONSTRAINT"
"""What follows the exchanges."""
[CROSS_PLATFORM] = [reader for reader in readers() if reader.name == "cross_platform"]


@pytest.fixture
def kept(fill: Fill) -> tuple[Engine, list[str]]:
    """A database that was rolled back and upgraded again, and what it held before."""
    engine = fill(Shape.TABLE)
    before = rows(engine)
    engine.dispose()
    roll_back(engine.url, "1.0.0")
    Alembic(engine.url).upgrade()
    return engine, before


def read(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        found = connection.execute(text(CROSS_PLATFORM.sql), {"niche_id": 1, "platform": None}).all()
    return [row.platform for row in found]


def test_before_each_statement_of_a_restore(kept: tuple[Engine, list[str]]) -> None:
    """A reader waits for the exchange at most; what is back stays."""
    engine, before = kept
    seen: list[int] = []
    errors: list[str] = []
    with psycopg.connect(conninfo(engine.url), autocommit=True) as reader:
        reader.execute("SET lock_timeout = '10ms'")

        def look(number: int, statement: str) -> None:
            found = reader.pgconn.exec_(COUNT.encode())  # not by a cursor, which would count itself
            if not found.error_message:
                seen.append(int(found.get_value(0, 0) or b""))
            elif b"lock timeout" not in found.error_message:
                errors.append(f"before {number}, {statement[:60]}: {found.error_message.decode()}")

        counted(partial(bring_back, engine.url), look)
    assert errors == []
    assert set(seen) == {0, COMPARED}
    assert seen == sorted(seen)
    assert read(engine) == ["tiktok"]
    assert rows(engine) == before


@pytest.mark.parametrize("at", ["idx_insight_registry_published", VALIDATED])
def test_after_a_restore_that_stopped(kept: tuple[Engine, list[str]], at: str) -> None:
    engine, _ = kept
    stopped(partial(bring_back, engine.url), at)
    assert read(engine) == ["tiktok"]


def test_one_that_an_older_version_left_without_rows_is_filled_first(kept: tuple[Engine, list[str]]) -> None:
    """Also where what comes before then stops it again."""
    engine, before = kept
    url = engine.url
    stopped(partial(bring_back, url), VALIDATED)
    execute(url, f"REFRESH MATERIALIZED VIEW {VIEW} WITH NO DATA")
    stopped(partial(bring_back, url), VALIDATED)
    assert read(engine) == ["tiktok"]
    assert bring_back(url).exit_code == 0
    assert rows(engine) == before


NESTED = """
    CREATE VIEW analytics.measured AS SELECT m.niche_id FROM analytics.cross_platform_metrics AS m;
    CREATE MATERIALIZED VIEW analytics.nested AS SELECT v.niche_id FROM analytics.measured AS v;
    CREATE VIEW analytics.upon AS SELECT n.niche_id FROM analytics.nested AS n;
    CREATE MATERIALIZED VIEW analytics.whose AS
    SELECT cross_platform_metrics.niche_id, 'x'::text AS cross_platform_metrics FROM analytics.cross_platform_metrics;
    CREATE INDEX whose_niche ON analytics.whose (niche_id);
    COMMENT ON INDEX analytics.whose_niche IS 'Whose';
    GRANT SELECT ON analytics.nested, analytics.whose TO PUBLIC
"""
FILLED = "SELECT (SELECT count(*) FROM analytics.upon), (SELECT count(*) FROM analytics.whose)"


def test_views_on_views_are_filled_before_anything_else_comes_back(kept: tuple[Engine, list[str]]) -> None:
    """One that stands on another view cannot be filled in the archive: it is behind the exchange."""
    url = kept[0].url
    execute(url, NESTED)
    complete = catalog(url)
    stopped(partial(bring_back, url), "idx_insight_registry_published")
    assert execute(url, FILLED) == [(COMPARED, COMPARED)]
    assert bring_back(url).exit_code == 0
    assert catalog(url) == complete
    assert execute(url, "SELECT obj_description('analytics.whose_niche'::regclass)") == [("Whose",)]
