-- One statement moves the deltas, so that they and their sum are read in one snapshot; one drainer at a time.
CREATE OR REPLACE FUNCTION analytics.drain_niche_daily_activity()
RETURNS bigint
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    drained bigint;
    horizon date;
BEGIN
    IF NOT pg_try_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0)) THEN
        RETURN NULL;
    END IF;

    SELECT coalesce(max(r.kept_from), '-infinity') INTO horizon
    FROM analytics.retention AS r
    WHERE r.relation = 'analytics_events';

    WITH gone AS (
        DELETE FROM analytics.niche_daily_activity_delta
        RETURNING niche_id, day, event_type, events
    ),

    sums AS (
        SELECT gone.niche_id, gone.day, gone.event_type, sum(gone.events) AS events
        FROM gone
        GROUP BY gone.niche_id, gone.day, gone.event_type
        HAVING sum(gone.events) <> 0
    ),

    folded AS (
        INSERT INTO analytics.niche_daily_activity_summary AS s (niche_id, day, event_type, events)
        SELECT sums.niche_id, sums.day, sums.event_type, sums.events FROM sums WHERE sums.day >= horizon
        ON CONFLICT (niche_id, day, event_type) DO UPDATE SET events = s.events + excluded.events
    ),

    kept AS (
        INSERT INTO analytics.niche_daily_activity_kept AS k (niche_id, day, event_type, events)
        SELECT sums.niche_id, sums.day, sums.event_type, sums.events FROM sums WHERE sums.day < horizon
        ON CONFLICT (niche_id, day, event_type) DO UPDATE SET events = k.events + excluded.events
    )

    SELECT count(*) INTO drained FROM gone;

    DELETE FROM analytics.niche_daily_activity_summary WHERE events = 0;
    DELETE FROM analytics.niche_daily_activity_kept WHERE events = 0;
    RETURN drained;
END
$$;

COMMENT ON FUNCTION analytics.drain_niche_daily_activity() IS
'Folds the deltas into the summary and returns how many there were; NULL: another session is doing it';

REVOKE ALL ON FUNCTION analytics.drain_niche_daily_activity() FROM PUBLIC;
