-- The table becomes the first partition and the partitioned one takes its name; no row is read, written or moved.
DO $$
DECLARE
    bound text;
    found text;
    switched text;
BEGIN
    LOCK TABLE public.features, analytics.analytics_events IN ACCESS EXCLUSIVE MODE;

{others}
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'analytics.analytics_events cannot be partitioned; this was made on it just now: %', found
            USING HINT = 'drop it, run the upgrade again, and create it anew afterwards';
    END IF;

    SELECT substring(pg_get_constraintdef(k.oid) FROM '''([^'']+)''')
    INTO bound
    FROM pg_constraint AS k
    WHERE k.conrelid = 'analytics.analytics_events'::regclass AND k.conname = 'analytics_events_bound';

{switched}
    DROP TRIGGER analytics_events_inserted ON analytics.analytics_events;
    DROP TRIGGER analytics_events_updated ON analytics.analytics_events;
    DROP TRIGGER analytics_events_deleted ON analytics.analytics_events;
    DROP TRIGGER analytics_events_truncated ON analytics.analytics_events;

    ALTER TABLE analytics.analytics_events DROP CONSTRAINT analytics_events_pkey;
    ALTER TABLE analytics.analytics_events
        ADD CONSTRAINT analytics_events_first_pkey PRIMARY KEY USING INDEX analytics_events_key;

    ALTER SEQUENCE analytics.analytics_events_event_id_seq OWNED BY NONE;
    ALTER TABLE analytics.analytics_events RENAME TO analytics_events_first;
    ALTER INDEX analytics.idx_analytics_events_timestamp RENAME TO analytics_events_first_event_timestamp_idx;
    ALTER INDEX analytics.idx_analytics_events_type_source RENAME TO analytics_events_first_event_type_event_source_idx;
    ALTER INDEX analytics.idx_analytics_events_niche_id RENAME TO analytics_events_first_niche_id_idx;
    ALTER INDEX analytics.idx_analytics_events_user_id RENAME TO analytics_events_first_user_id_idx;
    ALTER INDEX analytics.idx_analytics_events_niche_history
        RENAME TO analytics_events_first_niche_id_event_type_event_timestamp_idx;
    ALTER TABLE analytics.analytics_events_first SET SCHEMA analytics_partitions;
    ALTER TABLE analytics_partitions.analytics_events SET SCHEMA analytics;
    ALTER SEQUENCE analytics.analytics_events_event_id_seq OWNED BY analytics.analytics_events.event_id;

    EXECUTE format(
        'ALTER TABLE analytics.analytics_events'
        ' ATTACH PARTITION analytics_partitions.analytics_events_first FOR VALUES FROM (MINVALUE) TO (%L)',
        bound
    );
    ALTER TABLE analytics_partitions.analytics_events_first DROP CONSTRAINT analytics_events_bound;

{triggers}
    IF switched IS NOT NULL THEN
        EXECUTE switched;
    END IF;
END
$$;
