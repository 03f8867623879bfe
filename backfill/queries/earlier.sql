-- All lines of files that are whole, staged or known from before staging was dropped. Version 2.0.6 and older kept no
-- hash: it is computed.
CREATE TEMPORARY VIEW backfill_earlier AS
SELECT coalesce(f.series, 0) AS series, e.file_id, e.event_timestamp, e.event_id, e.line
FROM (
    SELECT s.file_id, s.event_timestamp, s.event_id,
        coalesce(s.line, hash_record_extended(ROW (
            s.event_timestamp, s.event_type, s.event_source, s.event_data, s.user_id, s.niche_id, s.created_at
        ), 0)) AS line
    FROM sidb.backfill_events AS s
    UNION ALL
    SELECT k.file_id, k.event_timestamp, k.event_id, k.line
    FROM sidb.backfill_lines AS k
) AS e
LEFT JOIN sidb.backfill_files AS f ON f.file_id = e.file_id
