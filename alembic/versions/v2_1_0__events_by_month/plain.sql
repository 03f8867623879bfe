-- Where there are too many rows to be moved, or no first partition: an empty table, as revisions 2.0.0 to 2.0.6 made it,
-- to take the place of the partitioned one. Nobody waits for it yet.
DO $$
DECLARE
    owner text;
    switched text;
BEGIN
    PERFORM set_config('row_security', 'off', true);  -- rather an error than rows that are not seen
    IF EXISTS (
        SELECT FROM pg_inherits AS i
        WHERE
            i.inhrelid = to_regclass('analytics_partitions.analytics_events_first')
            AND i.inhparent = 'analytics.analytics_events'::regclass
    ) AND (
        SELECT count(*) <= 50000
        FROM (
            SELECT FROM analytics.analytics_events AS e
            WHERE e.event_timestamp >= (  -- its bound: the first partition is not read
                SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \(''([^'']+)''\)')::timestamptz
                FROM pg_class AS c
                WHERE c.oid = to_regclass('analytics_partitions.analytics_events_first')
            )
            LIMIT 50001
        ) AS past
    ) THEN
        RETURN;
    END IF;
    -- What was looked at first may have changed since.
    IF coalesce(current_setting('alembic_online.drops_data', true), '') <> 'on' THEN
        RAISE EXCEPTION 'the events of analytics.analytics_events cannot be moved into its first partition any more'
            USING HINT = 'sidb rollback, which puts the whole tree aside at once and leaves an empty table';
    END IF;

    CREATE TABLE analytics_partitions.analytics_events (
        -- Named, since the partitions of the other one have the names that PostgreSQL would give.
        event_id bigserial CONSTRAINT analytics_events_event_id_not_null NOT NULL,
        event_type text CONSTRAINT analytics_events_event_type_not_null NOT NULL,
        event_source text CONSTRAINT analytics_events_event_source_not_null NOT NULL,
        event_timestamp timestamptz CONSTRAINT analytics_events_event_timestamp_not_null NOT NULL,
        event_data jsonb CONSTRAINT analytics_events_event_data_not_null NOT NULL,
        user_id text,
        niche_id bigint CONSTRAINT analytics_events_niche_id_fkey REFERENCES public.features (niche_id),
        created_at timestamptz DEFAULT now(),
        CONSTRAINT analytics_events_pkey PRIMARY KEY (event_id)
    );
    CREATE INDEX idx_analytics_events_timestamp ON analytics_partitions.analytics_events (event_timestamp);
    CREATE INDEX idx_analytics_events_type_source ON analytics_partitions.analytics_events (event_type, event_source);
    CREATE INDEX idx_analytics_events_niche_id ON analytics_partitions.analytics_events (niche_id);
    CREATE INDEX idx_analytics_events_user_id ON analytics_partitions.analytics_events (user_id);
    CREATE INDEX idx_analytics_events_niche_history
    ON analytics_partitions.analytics_events (niche_id, event_type, event_timestamp);
    COMMENT ON TABLE analytics_partitions.analytics_events IS
    'Granular events, one row each; counted by niche, day and type in niche_daily_activity';
    COMMENT ON COLUMN analytics_partitions.analytics_events.event_id IS 'Key of the event, in order of arrival';
    COMMENT ON COLUMN analytics_partitions.analytics_events.event_type IS
    'What happened, for example niche_scored, search or view';
    COMMENT ON COLUMN analytics_partitions.analytics_events.event_source IS 'Which program or platform reported it';
    COMMENT ON COLUMN analytics_partitions.analytics_events.event_timestamp IS
    'When it happened; its UTC date is the event''s day';
    COMMENT ON COLUMN analytics_partitions.analytics_events.event_data IS 'Payload, as its event_type defines it';
    COMMENT ON COLUMN analytics_partitions.analytics_events.user_id IS
    'Who did it; NULL: nobody in particular. Subject to erasure';
    COMMENT ON COLUMN analytics_partitions.analytics_events.niche_id IS
    'The niche it concerns; NULL: none in particular';
    COMMENT ON COLUMN analytics_partitions.analytics_events.created_at IS 'When the row was written';

    SELECT quote_ident(pg_get_userbyid(c.relowner)) INTO owner
    FROM pg_class AS c
    WHERE c.oid = 'analytics.analytics_events'::regclass;
    IF owner <> quote_ident(current_user) THEN
        EXECUTE format('ALTER TABLE analytics_partitions.analytics_events OWNER TO %s', owner);
    END IF;

{switched}
{triggers}
    IF switched IS NOT NULL THEN
        EXECUTE switched;
    END IF;
END
$$;
