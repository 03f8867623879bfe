-- What is still there of the days before the horizon counts as any other event again. The deltas are forgotten and the
-- events counted in one snapshot, so that no event is counted twice or not at all.
DO $$
DECLARE
    horizon date;
BEGIN
    SELECT r.kept_from INTO horizon
    FROM analytics.retention AS r
    WHERE r.relation = 'analytics_events';
    IF horizon IS NULL THEN
        RETURN;
    END IF;

    WITH gone AS (
        DELETE FROM analytics.niche_daily_activity_delta WHERE day < horizon
    )

    INSERT INTO analytics.niche_daily_activity_summary (niche_id, day, event_type, events)
    SELECT e.niche_id, (e.event_timestamp AT TIME ZONE 'UTC')::date, e.event_type, count(*)
    FROM analytics.analytics_events AS e
    WHERE e.niche_id IS NOT NULL AND e.event_timestamp < horizon::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2, 3
    ON CONFLICT (niche_id, day, event_type) DO UPDATE SET events = excluded.events;
END
$$;
