-- Counts of days before the horizon that a rollback has put aside go down, too: a restore takes them as they are. Goes on
-- behind the statement's CTE gone.
, {name} AS (
    UPDATE {archive}.niche_daily_activity_kept AS k
    SET events = k.events - c.events
    FROM (
        SELECT g.niche_id, (g.event_timestamp AT TIME ZONE 'UTC')::date AS day, g.event_type, count(*) AS events
        FROM gone AS g
        INNER JOIN {archive}.retention AS r ON r.relation = 'analytics_events'
        WHERE
            g.event_timestamp < r.kept_from::timestamp AT TIME ZONE 'UTC'
            AND coalesce(g.created_at < {since}::timestamptz, true)
        GROUP BY 1, 2, 3
    ) AS c
    WHERE k.niche_id = c.niche_id AND k.day = c.day AND k.event_type = c.event_type
)
