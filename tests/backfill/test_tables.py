"""Bookkeeping that an earlier version of this project left behind is brought up to date on use."""

from sqlalchemy import Engine

from backfill.bookkeeping import VERSIONS, create
from backfill.pacing import is_paused, looks_paused, resume
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
    sql("DROP TABLE sidb.backfill_pause_orders")
    sql("ALTER TABLE sidb.backfill_control ADD COLUMN paused_at timestamptz DEFAULT now()")
    sql("INSERT INTO sidb.backfill_control (as_of, deadline) VALUES (now(), now())")
    with migrated.begin() as connection:
        assert looks_paused(connection)
    for _ in range(2):
        create(migrated)
        with migrated.begin() as connection:
            assert looks_paused(connection)
            assert is_paused(connection)
        assert [row for row in sql(COLUMNS) if row.column_name != "paused_at"] == new
        assert sql("SELECT job, lower, upper FROM sidb.backfill_ranges ORDER BY job") == [
            ("event_history", "20209", "20211"),
            ("niche_scores", "0", "9"),
        ]
    with migrated.begin() as connection:
        resume(connection)
    sql("DROP TABLE sidb.backfill_events")  # as finish does: what was brought up to date is not so once more
    create(migrated)
    with migrated.begin() as connection:
        assert not is_paused(connection)
