-- The whole tree goes where an empty table is to take its place, which goes on with its ids; an archive keeps it.
DO $$
BEGIN
    IF to_regclass('analytics_partitions.analytics_events') IS NULL THEN
        RETURN;
    END IF;

    -- Gone already where the archive has taken it.
    IF to_regclass('analytics.analytics_events_event_id_seq') IS NOT NULL THEN
        PERFORM setval('analytics_partitions.analytics_events_event_id_seq', s.last_value, s.is_called)
        FROM analytics.analytics_events_event_id_seq AS s;
    END IF;
    DROP TABLE IF EXISTS analytics.analytics_events;
END
$$;
