-- Records whose columns COPY split.
CREATE TEMPORARY VIEW backfill_texts AS
SELECT
    r.ctid AS place,
    r.number,
    r.event_timestamp,
    r.event_type,
    r.event_source,
    r.event_data,
    r.user_id,
    r.created_at,
    r.niche_id,
    r.phrase,
    NULL::text AS flaw
FROM pg_temp.backfill_records AS r
