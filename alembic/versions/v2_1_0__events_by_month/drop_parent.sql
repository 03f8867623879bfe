-- What is left of the partitions: the table of them, whose rows have been moved, and what stood in for the first one.
DO $$
BEGIN
    IF to_regclass('analytics_partitions.analytics_events') IS NOT NULL THEN
        DROP TABLE analytics_partitions.analytics_events;
    END IF;
    IF EXISTS (
        SELECT FROM pg_class AS c
        WHERE c.oid = to_regclass('analytics_partitions.analytics_events_first') AND c.relnatts = 1
    ) THEN
        DROP TABLE analytics_partitions.analytics_events_first;
    END IF;

    BEGIN
        DROP SCHEMA analytics_partitions;
    EXCEPTION
        WHEN dependent_objects_still_exist THEN
            RAISE NOTICE 'schema analytics_partitions stays: it holds objects that are not ours';
    END;
END
$$;
