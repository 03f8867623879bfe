-- A partition that was taken out and is still there belongs to neither table. Moving this many rows would hold up the
-- application for seconds; without its first partition there is no table to move them to. Where the data is kept
-- elsewhere, or may go, the step leaves an empty table instead.
DO $$
DECLARE
    found text;
BEGIN
    PERFORM set_config('row_security', 'off', true);  -- rather an error than rows that are not seen
    SELECT string_agg(c.oid::regclass::text, ', ' ORDER BY c.oid::regclass::text)
    INTO found
    FROM pg_class AS c
    WHERE
        c.relnamespace = to_regnamespace('analytics_partitions')
        AND c.relkind = 'r'
        AND NOT c.relispartition
        -- what an interrupted run left
        AND c.relname <> 'analytics_events'
        AND NOT (c.relname = 'analytics_events_first' AND c.relnatts = 1)
        -- what has the columns of events
        AND NOT EXISTS (
            SELECT FROM pg_attribute AS a
            LEFT JOIN pg_attribute AS own ON own.attrelid = c.oid AND own.attname = a.attname AND own.atttypid = a.atttypid
            WHERE
                a.attrelid = to_regclass('analytics.analytics_events')
                AND a.attnum > 0
                AND NOT a.attisdropped
                AND own.attrelid IS NULL
        );
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'taken out of analytics.analytics_events, and still in schema analytics_partitions: %', found
            USING HINT = 'sidb maintain, if retention is letting it go; or attach it again, move it to another schema, or drop it';
    END IF;

{others}
    IF found IS NOT NULL THEN
        RAISE EXCEPTION 'analytics.analytics_events cannot become a table again; what stands on the partitioned one: %', found
            USING HINT = 'drop it, run it again, and create it anew afterwards';
    END IF;

    IF coalesce(current_setting('alembic_online.drops_data', true), '') = 'on' THEN
        RETURN;
    END IF;

    IF NOT EXISTS (
        SELECT FROM pg_inherits AS i
        WHERE
            i.inhrelid = to_regclass('analytics_partitions.analytics_events_first')
            AND i.inhparent = to_regclass('analytics.analytics_events')
    ) THEN
        found := 'the first partition of analytics.analytics_events is gone: it cannot become the table again';
    ELSIF (
        SELECT count(*) > 50000
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
        found := 'more than 50,000 events lie past the first partition of analytics.analytics_events';
    END IF;

    IF found IS NOT NULL THEN
        RAISE EXCEPTION '%', found
            USING HINT = 'sidb rollback, which puts the whole tree aside at once and leaves an empty table';
    END IF;
END
$$;
