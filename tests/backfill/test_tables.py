"""Bookkeeping that an earlier version of this project left behind is brought up to date on use."""

from sqlalchemy import Engine

from backfill.tables import VERSIONS, create
from tests.backfill.conftest import Sql

COLUMNS = (
    "SELECT c.table_name, c.column_name, c.data_type, c.is_nullable, c.column_default FROM information_schema.columns "
    "AS c WHERE c.table_schema = 'sidb' ORDER BY 1, 2"
)


def test_tables_of_an_earlier_version_become_the_present_ones(migrated: Engine, sql: Sql) -> None:
    create(migrated)
    new = sql(COLUMNS)
    for table, columns in VERSIONS.items():
        for column in columns:
            sql(f"ALTER TABLE sidb.{table} DROP COLUMN {column.partition(' ')[0]}")
    sql(
        "INSERT INTO sidb.backfill_ranges (job, lower, upper, planned) VALUES "
        "('event_history', '2025-05-01T00:00:00+00:00', '2025-05-03T00:00:00+00:00', 7), ('niche_scores', '0', '9', 1)"
    )
    for _ in range(2):
        create(migrated)
        assert sql(COLUMNS) == new
        assert sql("SELECT job, lower, upper FROM sidb.backfill_ranges ORDER BY job") == [
            ("event_history", "20209", "20211"),
            ("niche_scores", "0", "9"),
        ]
