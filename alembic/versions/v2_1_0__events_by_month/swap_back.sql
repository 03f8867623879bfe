-- The first partition becomes the table again. Rows past its bound are moved into it while all others wait.
DO $$
DECLARE
    columns text;
    switched text;
BEGIN
    PERFORM set_config('row_security', 'off', true);  -- rather an error than rows that are not seen
    IF to_regclass('analytics_partitions.analytics_events') IS NOT NULL THEN
        ALTER TABLE analytics_partitions.analytics_events SET SCHEMA analytics;
        -- What went with the events is counted no more; it counts again when they come back.
        PERFORM analytics.rebuild_niche_daily_activity();
        RETURN;
    END IF;

    LOCK TABLE public.features, analytics.analytics_events IN ACCESS EXCLUSIVE MODE;
{switched}
    ALTER TABLE analytics.analytics_events DETACH PARTITION analytics_partitions.analytics_events_first;
    ALTER SEQUENCE analytics.analytics_events_event_id_seq OWNED BY NONE;
    ALTER TABLE analytics.analytics_events SET SCHEMA analytics_partitions;
    ALTER TABLE analytics_partitions.analytics_events_first SET SCHEMA analytics;
    ALTER TABLE analytics.analytics_events_first RENAME TO analytics_events;
    ALTER SEQUENCE analytics.analytics_events_event_id_seq OWNED BY analytics.analytics_events.event_id;
    ALTER TABLE analytics.analytics_events DROP CONSTRAINT analytics_events_first_pkey;
    ALTER TABLE analytics.analytics_events
        ADD CONSTRAINT analytics_events_pkey PRIMARY KEY USING INDEX analytics_events_plain_key;
    ALTER INDEX analytics.analytics_events_first_event_timestamp_idx RENAME TO idx_analytics_events_timestamp;
    ALTER INDEX analytics.analytics_events_first_event_type_event_source_idx RENAME TO idx_analytics_events_type_source;
    ALTER INDEX analytics.analytics_events_first_niche_id_idx RENAME TO idx_analytics_events_niche_id;
    ALTER INDEX analytics.analytics_events_first_user_id_idx RENAME TO idx_analytics_events_user_id;
    ALTER INDEX analytics.analytics_events_first_niche_id_event_type_event_timestamp_idx
        RENAME TO idx_analytics_events_niche_history;

    -- What is moved has been counted, and goes with the emptied table: the table has no triggers yet.
    IF EXISTS (SELECT FROM analytics_partitions.analytics_events) THEN
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
        INTO columns
        FROM pg_attribute AS a
        WHERE
            a.attrelid = 'analytics.analytics_events'::regclass
            AND a.attnum > 0
            AND NOT a.attisdropped
            AND a.attgenerated = '';
        EXECUTE format(
            'INSERT INTO analytics.analytics_events (%1$s) SELECT %1$s FROM analytics_partitions.analytics_events',
            columns
        );
    END IF;

{triggers}
    IF switched IS NOT NULL THEN
        EXECUTE switched;
    END IF;
END
$$;
