-- A file of few rows into staging itself.
INSERT INTO sidb.backfill_events (
    event_timestamp, event_id, event_type, event_source, event_data, user_id, niche_id, created_at, file_id, line
)
SELECT
    i.event_timestamp, i.event_id, i.event_type, i.event_source, i.event_data, i.user_id, i.niche_id, i.created_at,
    i.file_id, i.line
FROM pg_temp.backfill_incoming AS i
