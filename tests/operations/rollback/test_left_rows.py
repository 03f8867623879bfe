"""Rows with values in a column of others that their table lacks: left in the archive, named, and brought back later."""

import pytest
from alembic_online import OnlineError, UsageError

from operations.phase1 import Shape
from tests.fixtures.databases import Alembic
from tests.operations.rollback.conftest import Fill, bring_back, execute, finding, roll_back

NOTED = """
    ALTER TABLE analytics.trend_cache ADD COLUMN their_note text;
    UPDATE analytics.trend_cache SET their_note = 'note ' || trend_id WHERE trend_id % 2 = 0
"""
NEWER = """
    SELECT setval('analytics.trend_cache_trend_id_seq', 1000);
    INSERT INTO analytics.trend_cache (niche_id, trend_type, trend_source, parameters, trend_data, valid_until)
    VALUES (199, 'chart', 'niche_trends', '{}', '{}', now() + interval '1 day')
"""
TRENDS = "SELECT trend_id, their_note FROM analytics.trend_cache WHERE trend_id <= 1000 ORDER BY trend_id"


def test_they_stay_until_their_table_has_the_column_again(fill: Fill) -> None:
    url = fill(Shape.TABLE).url
    execute(url, NOTED)
    before = execute(url, TRENDS)
    noted = sum(note is not None for _, note in before)
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    execute(url, NEWER)
    with pytest.raises(OnlineError, match=f"{noted} rows hold a value in their_note"):
        bring_back(url)
    found = bring_back(url, skip=True)
    assert found.exit_code == 0
    assert f"{noted} left in the archive" in finding(found, "restored").detail
    assert f"{noted} rows stay in sidb_archive_1 (those with a value in their_note" in found.next_step
    said = finding(found, "rows left")
    assert f"{noted} rows of analytics.trend_cache stay" in said.detail
    assert "ALTER TABLE analytics.trend_cache ADD COLUMN" in said.remedy
    with pytest.raises(UsageError, match="but for rows with a value in their_note of"):
        bring_back(url)

    gone = next(trend_id for trend_id, note in before if note is None)
    execute(url, f"DELETE FROM analytics.trend_cache WHERE trend_id = {gone}")  # noqa: S608
    execute(url, said.remedy.partition(";")[0])
    again = bring_back(url)
    assert again.exit_code == 0
    assert "stay in" not in again.next_step
    assert execute(url, TRENDS) == [row for row in before if row[0] != gone], "what was deleted since stays so"
    assert execute(url, "SELECT max(rows_left) FROM sidb.rollback_archived") == [(0,)]
