-- Records that are JSON objects with the columns as keys; blank lines are none.
SELECT
    r.ctid AS place,
    r.number,
    nullif(o.x ->> 'event_timestamp', '') AS event_timestamp,
    nullif(o.x ->> 'event_type', '') AS event_type,
    nullif(o.x ->> 'event_source', '') AS event_source,
    nullif(o.x ->> 'event_data', '') AS event_data,
    nullif(o.x ->> 'user_id', '') AS user_id,
    nullif(o.x ->> 'created_at', '') AS created_at,
    nullif(o.x ->> 'niche_id', '') AS niche_id,
    nullif(o.x ->> 'phrase', '') AS phrase,
    CASE
        WHEN jsonb_typeof(o.x) <> 'object' THEN 'not a JSON object'
        WHEN o.x - '{event_timestamp,event_type,event_source,event_data,user_id,created_at,niche_id,phrase,event_id}'::text[]
            <> '{}' THEN (
            SELECT 'unknown column ' || quote_literal(left(min(k.key), 60))
            FROM jsonb_object_keys(o.x
                - '{event_timestamp,event_type,event_source,event_data,user_id,created_at,niche_id,phrase,event_id}'::text[]
            ) AS k (key)
        )
        WHEN jsonb_typeof(o.x -> 'event_timestamp') NOT IN ('string', 'null') THEN 'event_timestamp is not a text'
        WHEN jsonb_typeof(o.x -> 'event_type') NOT IN ('string', 'null') THEN 'event_type is not a text'
        WHEN jsonb_typeof(o.x -> 'event_source') NOT IN ('string', 'null') THEN 'event_source is not a text'
        WHEN jsonb_typeof(o.x -> 'event_data') NOT IN ('object', 'string', 'null') THEN 'event_data is not a JSON object'
        WHEN jsonb_typeof(o.x -> 'user_id') NOT IN ('string', 'null') THEN 'user_id is not a text'
        WHEN jsonb_typeof(o.x -> 'created_at') NOT IN ('string', 'null') THEN 'created_at is not a text'
        WHEN jsonb_typeof(o.x -> 'niche_id') NOT IN ('number', 'string', 'null') THEN 'niche_id is not a number'
        WHEN jsonb_typeof(o.x -> 'phrase') NOT IN ('string', 'null') THEN 'phrase is not a text'
    END AS flaw
FROM pg_temp.backfill_records AS r
-- OFFSET: read once a record, not once a column.
CROSS JOIN LATERAL (SELECT r.record::jsonb AS x OFFSET 0) AS o
WHERE r.record ~ '[^ \t\r]'
