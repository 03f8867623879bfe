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
