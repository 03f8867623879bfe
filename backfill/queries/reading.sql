-- The one reading of every value: PostgreSQL's own. `reason` is what speaks against a record whose values can be read,
-- `lacks` the phrase for which there is no niche. A value that cannot be read raises an error when it is asked for.
CREATE TEMPORARY VIEW backfill_values AS
SELECT
    t.place,
    t.number,
    CASE
        WHEN t.flaw IS NOT NULL THEN t.flaw
        WHEN t.event_timestamp IS NULL THEN 'event_timestamp is empty'
        WHEN t.event_type IS NULL THEN 'event_type is empty'
        WHEN t.event_source IS NULL THEN 'event_source is empty'
        WHEN t.event_data IS NULL THEN 'event_data is empty'
        -- Words such as now, today or epoch would be times, too.
        WHEN ascii(t.event_timestamp) NOT BETWEEN 48 AND 57
            AND lower(t.event_timestamp) NOT IN ('infinity', '-infinity')
            THEN 'event_timestamp ' || quote_literal(left(t.event_timestamp, 40)) || ' is not a time (ISO 8601)'
        WHEN ascii(t.created_at) NOT BETWEEN 48 AND 57 AND lower(t.created_at) NOT IN ('infinity', '-infinity')
            THEN 'created_at ' || quote_literal(left(t.created_at, 40)) || ' is not a time (ISO 8601)'
        -- PostgreSQL would read seconds since 1970 as a day of the year 170000. Eight digits are a date of ISO 8601.
        WHEN strpos(t.event_timestamp, '-') = 0 AND length(t.event_timestamp) <> 8 AND t.event_timestamp ~ '^[0-9]+$'
            THEN 'event_timestamp ' || quote_literal(left(t.event_timestamp, 40))
                || ' is a number, not a time (ISO 8601)'
        WHEN strpos(t.created_at, '-') = 0 AND length(t.created_at) <> 8 AND t.created_at ~ '^[0-9]+$'
            THEN 'created_at ' || quote_literal(left(t.created_at, 40)) || ' is a number, not a time (ISO 8601)'
        -- PostgreSQL indexes no value over 2,700 bytes.
        WHEN octet_length(t.event_type) > 1000 THEN 'event_type is longer than 1,000 bytes'
        WHEN octet_length(t.event_source) > 1000 THEN 'event_source is longer than 1,000 bytes'
        WHEN octet_length(t.user_id) > 1000 THEN 'user_id is longer than 1,000 bytes'
        WHEN octet_length(t.phrase) > 1000 THEN 'phrase is longer than 1,000 bytes'
        WHEN ascii(t.event_data) <> ascii('{') AND ltrim(t.event_data, E' \t\r\n') NOT LIKE '{%'
            AND jsonb_typeof(t.event_data::jsonb) <> 'object' THEN 'event_data is not a JSON object'
        WHEN t.niche_id IS NOT NULL AND n.niche_id IS NULL
            THEN 'niche ' || left(t.niche_id, 40) || ' does not exist'
        WHEN t.niche_id IS NULL AND btrim(t.phrase, E' \t\r\n') = '' THEN 'phrase is blank'
        WHEN t.niche_id IS NULL AND p.refused IS NOT NULL
            THEN 'features refuses a niche of the phrase ' || quote_literal(left(t.phrase, 80)) || ': ' || p.refused
    END AS reason,
    CASE WHEN t.niche_id IS NULL AND p.niche_id IS NULL THEN t.phrase END AS lacks,
    t.event_timestamp::timestamptz AS event_timestamp,
    t.event_type,
    t.event_source,
    t.event_data::jsonb AS event_data,
    t.user_id,
    coalesce(n.niche_id, p.niche_id) AS niche_id,
    t.created_at::timestamptz AS created_at
FROM pg_temp.backfill_texts AS t
LEFT JOIN ONLY public.features AS n ON n.niche_id = t.niche_id::bigint
LEFT JOIN pg_temp.backfill_niches AS p ON t.niche_id IS NULL AND p.phrase = t.phrase
