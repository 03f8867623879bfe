-- Counts the events anew while writers go on. An event and its delta commit together, and the last statement forgets the
-- deltas and counts the events in one snapshot, so that no event is counted twice or not at all.
CREATE OR REPLACE FUNCTION analytics.rebuild_niche_daily_activity()
RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    counted bigint;
    horizon date;
BEGIN
    -- In the order in which a TRUNCATE of the events takes its locks, or the two could deadlock.
    LOCK TABLE analytics.analytics_events IN ACCESS SHARE MODE;
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0));

    -- The events of the days before it go, or have gone: what was counted of them stays.
    SELECT coalesce(max(r.kept_from), '-infinity') INTO horizon
    FROM analytics.retention AS r
    WHERE r.relation = 'analytics_events';

    DELETE FROM analytics.niche_daily_activity_summary WHERE day >= horizon;

    WITH gone AS (
        DELETE FROM analytics.niche_daily_activity_delta WHERE day >= horizon
    )

    INSERT INTO analytics.niche_daily_activity_summary (niche_id, day, event_type, events)
    SELECT e.niche_id, (e.event_timestamp AT TIME ZONE 'UTC')::date, e.event_type, count(*)
    FROM analytics.analytics_events AS e
    WHERE e.niche_id IS NOT NULL AND e.event_timestamp >= horizon::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2, 3;

    GET DIAGNOSTICS counted = ROW_COUNT;
    RETURN counted;
END
$$;

COMMENT ON FUNCTION analytics.rebuild_niche_daily_activity() IS
'Counts the events anew, exactly, while writers go on, but those before their horizon in analytics.retention; returns the number of summary rows. Needed once when the table is filled first, and after loads with session_replication_role = replica, which bypass the triggers';

REVOKE ALL ON FUNCTION analytics.rebuild_niche_daily_activity() FROM PUBLIC;
