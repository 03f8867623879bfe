"""Beside what others have built on Phase 1's tables: a table that inherits from `features` is theirs."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL, Engine, text

from backfill.finishing import finish
from backfill.jobs import JOBS
from operations.phase1 import Shape
from tests.backfill.conftest import AS_OF, history, load_file, run, verify, write_csv
from tests.fixtures import lived_in
from tests.fixtures.databases import Alembic, Clone

ARCHIVED = """
    INSERT INTO reporting.features_archive (niche_id, phrase, demand_score, monetise_score, supply_score, opportunity,
        updated_at, language)
    VALUES (900001, 'only archived', 0.5, 0.5, 0.5, 9, now(), 'en'),
        ((SELECT min(niche_id) FROM hot_niches_today), 'as it was', 0.5, 0.5, 0.5, 0.5, '2025-01-01Z', 'en')
"""
CHILD = "SELECT to_jsonb(a) FROM reporting.features_archive AS a ORDER BY niche_id"


@pytest.mark.parametrize("shape", list(Shape))
def test_rows_of_a_table_that_inherits_from_features_are_never_written(
    shape: Shape, clone: Clone, connect: Callable[[URL], Engine], tmp_path: Path
) -> None:
    url = clone(f"lived_in_{shape.value}")
    Alembic(url).upgrade()
    engine = connect(lived_in.administrator(url))
    with engine.begin() as connection:
        connection.execute(text(ARCHIVED))
        before = connection.scalars(text(CHILD)).all()
    at = AS_OF.replace(month=5).isoformat()
    rows = [("view", "web", at, "{}", "", *niche) for niche in (("1", ""), ("900001", ""), ("", "only archived"))]
    loaded = load_file(engine, write_csv(tmp_path / "a.csv", rows))
    assert (loaded.added, loaded.rejected) == (2, 1)  # no key can refer to 900001
    assert run(engine).refused == 0
    assert all(proof.holds for proof in verify(engine))
    with engine.begin() as connection:
        assert connection.scalars(text(CHILD)).all() == before
        [niche] = connection.scalars(text("SELECT niche_id FROM ONLY features WHERE phrase = 'only archived'"))
        assert niche != 900001
        filled = text("SELECT count(*) FROM ONLY features WHERE trend_vector IS NULL OR last_analyzed_at IS NULL")
        assert connection.scalar(filled) == 0


def test_staging_made_anew_by_a_superuser_is_the_owners(
    clone: Clone, connect: Callable[[URL], Engine], tmp_path: Path
) -> None:
    url = clone("lived_in_table")
    Alembic(url).upgrade()
    owner = connect(url)
    load_file(owner, write_csv(tmp_path / "a.csv", history(200, days=2)))
    run(owner)
    assert all(proof.holds for proof in verify(owner))
    with connect(lived_in.administrator(url)).connect() as superuser:
        assert finish(superuser, JOBS).rows == 200
    assert load_file(owner, write_csv(tmp_path / "b.csv", history(100, days=2, seed=2))).added == 100
