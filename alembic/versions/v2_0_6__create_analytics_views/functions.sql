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
        PERFORM FROM new_events OFFSET 1;
        IF found THEN
            INSERT INTO analytics.niche_daily_activity_delta (niche_id, day, event_type, events)
            SELECT n.niche_id, (n.event_timestamp AT TIME ZONE 'UTC')::date, n.event_type, count(*)
            FROM new_events AS n
            WHERE n.niche_id IS NOT NULL
            GROUP BY 1, 2, 3;
        ELSE
            -- A single event, as the application writes them: grouping it would cost as much as appending it.
            INSERT INTO analytics.niche_daily_activity_delta (niche_id, day, event_type, events)
            SELECT n.niche_id, (n.event_timestamp AT TIME ZONE 'UTC')::date, n.event_type, 1
            FROM new_events AS n
            WHERE n.niche_id IS NOT NULL;
        END IF;
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

-- Appends and never updates, so that writers do not wait for one another; holds for writers with table privileges only.
CREATE OR REPLACE FUNCTION analytics.mark_view_stale()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO analytics.stale_views (view_name) VALUES (tg_argv[0]);
    RETURN NULL;
END
$$;

COMMENT ON FUNCTION analytics.mark_view_stale() IS
'Marks the materialized view named by its argument as behind its base tables';

REVOKE ALL ON FUNCTION analytics.mark_view_stale() FROM PUBLIC;

-- The marks go first and the refresh reads after them: a change that a mark spoke of is always read, and a mark that
-- arrives meanwhile stays for the next call. A failed refresh rolls back and leaves the marks.
CREATE OR REPLACE FUNCTION analytics.refresh_stale_views()
RETURNS SETOF text
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    stale record;
BEGIN
    FOR stale IN
        SELECT c.oid, c.relname, c.relispopulated
        FROM pg_class AS c
        WHERE
            c.relnamespace = 'analytics'::regnamespace
            AND c.relkind = 'm'
            AND EXISTS (SELECT FROM analytics.stale_views AS s WHERE s.view_name = c.relname)
        ORDER BY c.relname
    LOOP
        -- Another session is refreshing it; what it misses is still marked.
        CONTINUE WHEN NOT pg_try_advisory_xact_lock(hashtextextended('analytics.' || stale.relname, 0));

        DELETE FROM analytics.stale_views AS s WHERE s.view_name = stale.relname;
        CONTINUE WHEN NOT found;

        IF stale.relispopulated THEN
            EXECUTE format('REFRESH MATERIALIZED VIEW CONCURRENTLY analytics.%I', stale.relname);
        ELSE
            EXECUTE format('REFRESH MATERIALIZED VIEW analytics.%I', stale.relname);
        END IF;
        RETURN NEXT stale.relname;
    END LOOP;
END
$$;

COMMENT ON FUNCTION analytics.refresh_stale_views() IS
'Refreshes, concurrently, the materialized views that are marked as stale, and returns their names; safe to call from several sessions at once';

REVOKE ALL ON FUNCTION analytics.refresh_stale_views() FROM PUBLIC;
