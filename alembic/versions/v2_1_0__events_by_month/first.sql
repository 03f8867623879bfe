-- Where the first partition is gone by now, something has to stand in for what is indexed next. Of an index on its key
-- that an interrupted run left unfinished, or that is another one, nothing is left; one that is whole stays.
DO $$
BEGIN
    CREATE TABLE IF NOT EXISTS analytics_partitions.analytics_events_first (event_id bigint);

    IF EXISTS (
        SELECT FROM pg_index AS i
        WHERE
            i.indexrelid = to_regclass('analytics_partitions.analytics_events_plain_key')
            AND NOT (
                i.indisvalid
                AND pg_get_indexdef(i.indexrelid) ~ '^CREATE UNIQUE INDEX \S+ ON \S+ USING btree \(event_id\)$'
            )
    ) THEN
        DROP INDEX analytics_partitions.analytics_events_plain_key;
    END IF;
END
$$;
