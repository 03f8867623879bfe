-- Appends what a statement changed in the counts; never touches a row that another writer might hold.
-- Writers of events hold table privileges only, hence SECURITY DEFINER.
CREATE OR REPLACE FUNCTION analytics.record_event_activity()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    counts text;
    counted boolean;
BEGIN
    IF tg_op = 'INSERT' THEN
        -- Not grouped: the application writes single events, for which that costs as much as appending; the drain groups.
        INSERT INTO analytics.niche_daily_activity_delta (niche_id, day, event_type, events)
        SELECT n.niche_id, (n.event_timestamp AT TIME ZONE 'UTC')::date, n.event_type, 1
        FROM new_events AS n
        WHERE n.niche_id IS NOT NULL;
    ELSIF tg_op = 'DELETE' THEN
        INSERT INTO analytics.niche_daily_activity_delta (niche_id, day, event_type, events)
        SELECT o.niche_id, (o.event_timestamp AT TIME ZONE 'UTC')::date, o.event_type, -count(*)
        FROM old_events AS o
        WHERE o.niche_id IS NOT NULL
        GROUP BY 1, 2, 3;
    ELSIF tg_op = 'UPDATE' THEN
        INSERT INTO analytics.niche_daily_activity_delta (niche_id, day, event_type, events)
        SELECT c.niche_id, (c.event_timestamp AT TIME ZONE 'UTC')::date, c.event_type, sum(c.events)
        FROM (
            SELECT n.niche_id, n.event_timestamp, n.event_type, 1 AS events FROM new_events AS n
            UNION ALL
            SELECT o.niche_id, o.event_timestamp, o.event_type, -1 AS events FROM old_events AS o
        ) AS c
        WHERE c.niche_id IS NOT NULL
        GROUP BY 1, 2, 3
        HAVING sum(c.events) <> 0;
    ELSE
        FOREACH counts IN ARRAY ARRAY['niche_daily_activity_delta', 'niche_daily_activity_summary'] LOOP
            BEGIN
                EXECUTE format('TRUNCATE analytics.%I', counts);
            EXCEPTION
                WHEN object_in_use THEN
                    -- The same statement truncates it, and has done so by now; or something else holds it.
                    EXECUTE format('SELECT EXISTS (SELECT FROM analytics.%I)', counts) INTO counted;
                    IF counted THEN
                        RAISE;
                    END IF;
            END;
        END LOOP;
    END IF;
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION analytics.record_event_activity() IS
'Appends the change in daily counts that a statement on analytics_events made';

REVOKE ALL ON FUNCTION analytics.record_event_activity() FROM PUBLIC;
