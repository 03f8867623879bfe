-- Of each staged row what tells a later load that it is in; the line of those that 2.0.6 or older staged is computed.
INSERT INTO sidb.backfill_lines (event_timestamp, event_id, file_id, line)
SELECT
    s.event_timestamp,
    s.event_id,
    s.file_id,
    coalesce(s.line, hash_record_extended(ROW (
        s.event_timestamp, s.event_type, s.event_source, s.event_data, s.user_id, s.niche_id, s.created_at
    ), 0))
FROM sidb.backfill_events AS s
