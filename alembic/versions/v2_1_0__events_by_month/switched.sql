    -- What the owner has switched off, or on for replicas alone, stays so.
    SELECT
        string_agg(
            format(
                'ALTER TABLE {table} %s TRIGGER %I',
                CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                t.tgname
            ),
            '; '
        )
    INTO switched
    FROM pg_trigger AS t
    WHERE
        t.tgrelid = 'analytics.analytics_events'::regclass
        AND t.tgenabled <> 'O'
        AND t.tgname IN (
            'analytics_events_inserted', 'analytics_events_updated', 'analytics_events_deleted',
            'analytics_events_truncated'
        );
