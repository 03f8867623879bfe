-- The partitioned table beside the one that is there, with what belongs to whom copied from it; nobody waits for it.
DO $$
DECLARE
    bound timestamptz;
    month timestamp;
    owner text;
    child regclass;
    grantee text;
BEGIN
    SELECT quote_ident(pg_get_userbyid(c.relowner)) INTO owner
    FROM pg_class AS c
    WHERE c.oid = 'analytics.analytics_events'::regclass;

    SELECT substring(pg_get_constraintdef(k.oid) FROM '''([^'']+)''')::timestamptz
    INTO bound
    FROM pg_constraint AS k
    WHERE k.conrelid = 'analytics.analytics_events'::regclass AND k.conname = 'analytics_events_bound';

    CREATE SCHEMA IF NOT EXISTS analytics_partitions;
    COMMENT ON SCHEMA analytics_partitions IS 'Partitions of the tables of schema analytics';

    CREATE TABLE analytics_partitions.analytics_events (
        LIKE analytics.analytics_events
        INCLUDING DEFAULTS INCLUDING GENERATED INCLUDING CONSTRAINTS INCLUDING COMMENTS INCLUDING STORAGE
        INCLUDING COMPRESSION,
        CONSTRAINT analytics_events_pkey PRIMARY KEY (event_id, event_timestamp)
    ) PARTITION BY RANGE (event_timestamp);
    ALTER TABLE analytics_partitions.analytics_events DROP CONSTRAINT analytics_events_bound;
    COMMENT ON TABLE analytics_partitions.analytics_events IS
    'Granular events, one row each, partitioned by month; counted by niche, day and type in niche_daily_activity';
    COMMENT ON COLUMN analytics_partitions.analytics_events.event_id IS
    'Key of the event with event_timestamp, in order of arrival';
    IF (SELECT c.relrowsecurity FROM pg_class AS c WHERE c.oid = 'analytics.analytics_events'::regclass) THEN
        ALTER TABLE analytics_partitions.analytics_events ENABLE ROW LEVEL SECURITY;
    END IF;
    IF (SELECT c.relforcerowsecurity FROM pg_class AS c WHERE c.oid = 'analytics.analytics_events'::regclass) THEN
        ALTER TABLE analytics_partitions.analytics_events FORCE ROW LEVEL SECURITY;
    END IF;
    CREATE INDEX idx_analytics_events_timestamp ON analytics_partitions.analytics_events (event_timestamp);
    CREATE INDEX idx_analytics_events_type_source ON analytics_partitions.analytics_events (event_type, event_source);
    CREATE INDEX idx_analytics_events_niche_id ON analytics_partitions.analytics_events (niche_id);
    CREATE INDEX idx_analytics_events_user_id ON analytics_partitions.analytics_events (user_id);
    CREATE INDEX idx_analytics_events_niche_history
    ON analytics_partitions.analytics_events (niche_id, event_type, event_timestamp);

    CREATE TABLE analytics_partitions.analytics_events_default PARTITION OF analytics_partitions.analytics_events DEFAULT;
    FOR month IN
        SELECT (bound AT TIME ZONE 'UTC') + number * interval '1 month' FROM generate_series(0, 2) AS ahead (number)
    LOOP
        EXECUTE format(
            'CREATE TABLE analytics_partitions.%I PARTITION OF analytics_partitions.analytics_events'
            ' FOR VALUES FROM (%L) TO (%L)',
            to_char(month, '"analytics_events_"YYYY"_"MM'),
            month AT TIME ZONE 'UTC',
            (month + interval '1 month') AT TIME ZONE 'UTC'
        );
    END LOOP;

    -- Default privileges: whoever may read the table reads its partitions by it.
    FOR child, grantee IN
        SELECT DISTINCT
            t.relid, CASE acl.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(acl.grantee)) END
        FROM pg_partition_tree('analytics_partitions.analytics_events') AS t
        INNER JOIN pg_class AS c ON c.oid = t.relid
        CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
        WHERE t.level > 0 AND acl.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %s', child, grantee);
    END LOOP;

    IF owner <> quote_ident(current_user) THEN
        EXECUTE format('ALTER SCHEMA analytics_partitions OWNER TO %s', owner);
        FOR child IN SELECT t.relid FROM pg_partition_tree('analytics_partitions.analytics_events') AS t LOOP
            EXECUTE format('ALTER TABLE %s OWNER TO %s', child, owner);
        END LOOP;
    END IF;
END
$$;
