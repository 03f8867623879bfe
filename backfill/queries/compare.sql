-- The file's lines beside those of the given series, copy by copy: equal lines are all meant. Without `theirs` it is new,
-- without `mine` it is missing in the file.
INSERT INTO pg_temp.backfill_compared (mine, theirs, event_timestamp)
SELECT m.event_id, e.event_id, coalesce(m.event_timestamp, e.event_timestamp)
FROM (
    SELECT i.event_id, i.event_timestamp, i.line,
        row_number() OVER (PARTITION BY i.event_timestamp, i.line ORDER BY i.event_id) AS nth
    FROM pg_temp.backfill_incoming AS i
) AS m
FULL JOIN (
    SELECT s.event_id, s.event_timestamp, s.line,
        row_number() OVER (PARTITION BY s.event_timestamp, s.line ORDER BY s.event_id) AS nth
    FROM pg_temp.backfill_earlier AS s
    WHERE s.series = ANY(CAST(:series AS bigint[]))
) AS e ON e.event_timestamp = m.event_timestamp AND e.line = m.line AND e.nth = m.nth
