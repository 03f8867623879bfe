-- Lets a new event table give out ids behind those that staged events have already.
SELECT setval(sequence.oid, highest.event_id)
FROM
    (SELECT pg_get_serial_sequence('analytics.analytics_events', 'event_id')::regclass AS oid) AS sequence
CROSS JOIN (SELECT max(s.event_id) AS event_id FROM sidb.backfill_events AS s) AS highest
WHERE highest.event_id > coalesce(pg_sequence_last_value(sequence.oid), 0);
