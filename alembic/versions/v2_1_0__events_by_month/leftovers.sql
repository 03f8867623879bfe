-- What an interrupted run left, and cannot be gone on from: the parent, which holds nothing, and an index that was not
-- finished, or is another one. One that is whole stays.
DO $$
BEGIN
    IF to_regclass('analytics_partitions.analytics_events') IS NOT NULL THEN
        DROP TABLE analytics_partitions.analytics_events;
    END IF;

    IF EXISTS (
        SELECT FROM pg_index AS i
        WHERE
            i.indexrelid = to_regclass('analytics.analytics_events_key')
            AND NOT (
                i.indisvalid
                AND pg_get_indexdef(i.indexrelid) ~ '^CREATE UNIQUE INDEX \S+ ON \S+ USING btree \(event_id, event_timestamp\)$'
            )
    ) THEN
        DROP INDEX analytics.analytics_events_key;
    END IF;
END
$$;
