-- One statement moves the deltas, so that they and their sum are read in one snapshot; one drainer at a time.
CREATE OR REPLACE FUNCTION analytics.drain_niche_daily_activity()
RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    drained bigint;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0)) THEN
        RETURN NULL;
    END IF;

    WITH gone AS (
        DELETE FROM analytics.niche_daily_activity_delta
        RETURNING niche_id, day, event_type, events
    ),

    folded AS (
        INSERT INTO analytics.niche_daily_activity_summary AS s (niche_id, day, event_type, events)
        SELECT gone.niche_id, gone.day, gone.event_type, sum(gone.events)
        FROM gone
        GROUP BY gone.niche_id, gone.day, gone.event_type
        HAVING sum(gone.events) <> 0
        ON CONFLICT (niche_id, day, event_type) DO UPDATE SET events = s.events + excluded.events
    )

    SELECT count(*) INTO drained FROM gone;

    DELETE FROM analytics.niche_daily_activity_summary WHERE events = 0;
    RETURN drained;
END
$$;

COMMENT ON FUNCTION analytics.drain_niche_daily_activity() IS
'Folds the deltas into the summary and returns how many there were; NULL: another session is doing it';

REVOKE ALL ON FUNCTION analytics.drain_niche_daily_activity() FROM PUBLIC;
-- Counts all events anew while writers go on. An event and its delta commit together, and the last statement forgets the
-- deltas and counts the events in one snapshot, so that no event is counted twice or not at all.
CREATE OR REPLACE FUNCTION analytics.rebuild_niche_daily_activity()
RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    counted bigint;
BEGIN
    -- In the order in which a TRUNCATE of the events takes its locks, or the two could deadlock.
    LOCK TABLE analytics.analytics_events IN ACCESS SHARE MODE;
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0));

    DELETE FROM analytics.niche_daily_activity_summary;

    WITH gone AS (
        DELETE FROM analytics.niche_daily_activity_delta
    )

    INSERT INTO analytics.niche_daily_activity_summary (niche_id, day, event_type, events)
    SELECT e.niche_id, (e.event_timestamp AT TIME ZONE 'UTC')::date, e.event_type, count(*)
    FROM analytics.analytics_events AS e
    WHERE e.niche_id IS NOT NULL
    GROUP BY 1, 2, 3;

    GET DIAGNOSTICS counted = ROW_COUNT;
    RETURN counted;
END
$$;

COMMENT ON FUNCTION analytics.rebuild_niche_daily_activity() IS
'Counts all events anew, exactly, while writers go on; returns the number of summary rows. Needed once when the table is filled first, and after loads with session_replication_role = replica, which bypass the triggers';

REVOKE ALL ON FUNCTION analytics.rebuild_niche_daily_activity() FROM PUBLIC;
