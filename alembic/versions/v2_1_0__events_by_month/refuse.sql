-- What would stop half-way, or go on naming one partition for the whole table, stops before anything is changed.
DO $$
DECLARE
    found text;
    far text;
BEGIN
    PERFORM set_config('row_security', 'off', true);  -- rather an error than rows that are not seen
    IF EXISTS (
        SELECT FROM pg_class AS c WHERE c.oid = to_regclass('analytics.analytics_events') AND c.relkind = 'p'
    ) THEN
        RAISE EXCEPTION 'analytics.analytics_events is partitioned already'
            USING HINT = 'this was done, and not written down: alembic stamp 2.1.0';
    END IF;

{others}
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'analytics.analytics_events cannot be partitioned; what stands on the table as it is: %', found
            USING HINT = 'drop it, run the upgrade again, and create it anew afterwards';
    END IF;

    -- The swap names them, and without the first of these everybody would wait while the whole table is read.
    SELECT string_agg(named.what, ', ' ORDER BY named.what)
    INTO found
    FROM unnest(ARRAY[
        'idx_analytics_events_timestamp', 'idx_analytics_events_type_source', 'idx_analytics_events_niche_id',
        'idx_analytics_events_user_id', 'idx_analytics_events_niche_history', 'analytics_events_pkey'
    ]) AS named (what)
    LEFT JOIN pg_index AS i
        ON i.indexrelid = to_regclass(format('analytics.%I', named.what))
        AND i.indrelid = to_regclass('analytics.analytics_events')
        AND i.indisvalid
    WHERE i.indexrelid IS NULL;
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'analytics.analytics_events cannot be partitioned: not there, or invalid, are its indexes %', found
            USING HINT = 'create them as they were, and run the upgrade again';
    END IF;

    SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid::regclass::text)
    INTO found
    FROM pg_class AS c
    LEFT JOIN pg_inherits AS i ON i.inhrelid = c.oid
    WHERE
        c.relnamespace = to_regnamespace('analytics_partitions')
        AND c.relname ~ '^analytics_events(_first|_default|_\d{4}_\d\d)?$'
        -- what an interrupted run left
        AND NOT (c.relname = 'analytics_events' AND c.relkind = 'p')
        AND (i.inhparent IS NULL OR i.inhparent IS DISTINCT FROM to_regclass('analytics_partitions.analytics_events'));
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'analytics.analytics_events cannot be partitioned: its partitions need these names: %', found
            USING HINT = 'rename what has them, and run the upgrade again';
    END IF;

{far}
END
$$;
