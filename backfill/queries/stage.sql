-- The chunk into the table of its file, read and hashed. OFFSET: each value is read once, not once more for its hash.
INSERT INTO pg_temp.backfill_incoming (
    event_timestamp, event_id, event_type, event_source, event_data, user_id, niche_id, created_at, file_id, line
)
SELECT
    v.event_timestamp,
    nextval('analytics.analytics_events_event_id_seq'),
    v.event_type,
    v.event_source,
    v.event_data,
    v.user_id,
    v.niche_id,
    v.created_at,
    :file_id,
    hash_record_extended(ROW (
        v.event_timestamp, v.event_type, v.event_source, v.event_data, v.user_id, v.niche_id, v.created_at
    ), 0)
FROM (
    SELECT r.event_timestamp, r.event_type, r.event_source, r.event_data, r.user_id, r.niche_id, r.created_at
    FROM pg_temp.backfill_values AS r
    WHERE r.reason IS NULL AND r.lacks IS NULL
    OFFSET 0
) AS v
