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
-- Before rows go: from then on whatever counts anew or writes history leaves the days before it alone. What was counted of
-- them is kept where nothing counts it again; what is not folded in yet follows with the next drain.
CREATE OR REPLACE FUNCTION analytics.move_retention_horizon(of_table text, first_day date)
RETURNS date
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    horizon date;
BEGIN
    -- Nobody drains or counts anew meanwhile.
    PERFORM pg_advisory_xact_lock(hashtextextended('analytics.niche_daily_activity', 0));

    INSERT INTO analytics.retention AS r (relation, kept_from)
    VALUES (of_table, first_day)
    ON CONFLICT (relation) DO UPDATE SET kept_from = excluded.kept_from, moved_at = now() WHERE r.kept_from < excluded.kept_from;

    SELECT r.kept_from INTO horizon
    FROM analytics.retention AS r
    WHERE r.relation = of_table;

    IF of_table = 'analytics_events' THEN
        WITH gone AS (
            DELETE FROM analytics.niche_daily_activity_summary AS s
            WHERE s.day < horizon
            RETURNING s.niche_id, s.day, s.event_type, s.events
        )

        INSERT INTO analytics.niche_daily_activity_kept AS k (niche_id, day, event_type, events)
        SELECT gone.niche_id, gone.day, gone.event_type, gone.events FROM gone
        ON CONFLICT (niche_id, day, event_type) DO UPDATE SET events = k.events + excluded.events;
    END IF;
    RETURN horizon;
END
$$;

COMMENT ON FUNCTION analytics.move_retention_horizon(text, date) IS
'Moves the horizon of a table in schema analytics to a UTC day, never back; returns it as it is then. Rows of earlier days are to go: their daily activity stays';

REVOKE ALL ON FUNCTION analytics.move_retention_horizon(text, date) FROM PUBLIC;
