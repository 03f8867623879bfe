-- Whether staging was dropped after its rows were proved, and nothing is staged since.
SELECT
    EXISTS (SELECT FROM sidb.backfill_lines) AND NOT EXISTS (SELECT FROM sidb.backfill_events) AS finished;
