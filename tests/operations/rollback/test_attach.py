"""Archived events come back as the first partition: with its indexes' names, and from wherever it was interrupted."""

from functools import partial

import pytest
from sqlalchemy import Engine

from tests.engine.conftest import catalog
from tests.fixtures.databases import Alembic
from tests.fixtures.ended import stopped
from tests.fixtures.lived_in import administrator
from tests.operations.rollback.conftest import bring_back, execute, finding, roll_back, rows


def test_an_index_of_the_archive_gets_the_partitions_name(engine: Engine) -> None:
    url = engine.url
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    named = "SELECT indexname FROM pg_indexes WHERE tablename = 'analytics_events_first' ORDER BY 1"
    before = execute(url, named)
    [(index,)] = execute(
        url,
        "SELECT i.indexrelid::regclass::text FROM pg_index AS i"
        " WHERE i.indrelid = 'sidb_archive_1.analytics_events'::regclass AND NOT i.indisprimary LIMIT 1",
    )
    execute(url, f"ALTER INDEX {index} RENAME TO theirs")
    assert bring_back(url).exit_code == 0
    assert execute(url, named) == before


def test_an_invalid_index_of_the_archive_is_no_partitions_index(engine: Engine) -> None:
    url = engine.url
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    complete = catalog(url)
    invalid = "UPDATE pg_index SET indisvalid = false WHERE indrelid = 'sidb_archive_1.analytics_events'::regclass"
    execute(administrator(url), f"{invalid} AND NOT indisprimary")
    found = bring_back(url)
    assert "analytics.analytics_events moved back whole" in finding(found, "restored").detail
    left = "SELECT count(*) FROM pg_index WHERE NOT indisvalid AND indexrelid IN (SELECT indexrelid FROM pg_index"
    left += " INNER JOIN pg_inherits ON inhrelid = indexrelid WHERE indrelid = 'analytics_partitions.{}'::regclass)"
    assert execute(url, left.format("analytics_events_first")) == [(0,)]
    assert finding(found, "models").verdict == "ok"
    assert catalog(url).keys() >= complete.keys()


@pytest.mark.parametrize("at", ["ADD CONSTRAINT", "FOREIGN KEY", "VALIDATE CONSTRAINT", "DETACH PARTITION"])
def test_events_that_were_about_to_be_attached(engine: Engine, at: str) -> None:
    url = engine.url
    before = rows(engine)
    engine.dispose()
    roll_back(url, "1.0.0")
    Alembic(url).upgrade()
    complete = catalog(url)
    stopped(partial(bring_back, url), rf"{at}(?!.*trend_cache)")
    found = bring_back(url)
    assert "analytics.analytics_events moved back whole" in finding(found, "restored").detail
    assert (rows(engine), catalog(url)) == (before, complete)
