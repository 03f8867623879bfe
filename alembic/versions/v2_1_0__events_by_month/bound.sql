-- The rows there are, and all that come until the swap, are dated before the bound: the first of a month (UTC) at least
-- one month beyond now and beyond the newest event. One that an interrupted run left stays where it is late enough.
DO $$
DECLARE
    wanted timestamptz;
    kept timestamptz;
    far text;
BEGIN
    PERFORM set_config('row_security', 'off', true);  -- rather an error than rows that are not seen
    -- Or a row past the bound could come between looking and adding.
    LOCK TABLE analytics.analytics_events IN ACCESS EXCLUSIVE MODE;

{far}
    SELECT (date_trunc('month', greatest(now(), max(e.event_timestamp)) AT TIME ZONE 'UTC') + interval '2 months') AT TIME ZONE 'UTC'
    INTO wanted
    FROM analytics.analytics_events AS e;

    SELECT substring(pg_get_constraintdef(k.oid) FROM '''([^'']+)''')::timestamptz
    INTO kept
    FROM pg_constraint AS k
    WHERE k.conrelid = 'analytics.analytics_events'::regclass AND k.conname = 'analytics_events_bound';

    IF kept IS NULL OR kept < wanted THEN
        ALTER TABLE analytics.analytics_events DROP CONSTRAINT IF EXISTS analytics_events_bound;
        EXECUTE format(
            'ALTER TABLE analytics.analytics_events'
            ' ADD CONSTRAINT analytics_events_bound CHECK (event_timestamp < %L) NOT VALID',
            wanted
        );
    END IF;
END
$$;
