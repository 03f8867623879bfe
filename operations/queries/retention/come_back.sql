-- The horizons of an archive, and the activity of days before that of its events, come back: what was counted before the
-- rollback stands, whatever was written of these days since. Where the horizon has moved on meanwhile, the archived events
-- before it are counted here, since nothing else counts them any more. Gives the horizon of the events.
WITH before AS MATERIALIZED (
    SELECT
        coalesce((SELECT a.kept_from FROM {archive}.retention AS a WHERE a.relation = 'analytics_events'), '-infinity') AS archived,
        coalesce((SELECT r.kept_from FROM analytics.retention AS r WHERE r.relation = 'analytics_events'), '-infinity') AS live
),

horizons AS (
    INSERT INTO analytics.retention AS r (relation, kept_from, moved_at)
    SELECT a.relation, a.kept_from, a.moved_at FROM {archive}.retention AS a
    ON CONFLICT (relation) DO UPDATE SET kept_from = greatest(r.kept_from, excluded.kept_from)
),

summary AS (
    DELETE FROM analytics.niche_daily_activity_summary AS s USING before AS b WHERE s.day < b.archived
),

delta AS (
    DELETE FROM analytics.niche_daily_activity_delta AS d USING before AS b WHERE d.day < b.archived
),

later AS (
    SELECT e.niche_id, (e.event_timestamp AT TIME ZONE 'UTC')::date AS day, e.event_type, count(*) AS events
    FROM {events} AS e
    CROSS JOIN before AS b
    WHERE
        e.niche_id IS NOT NULL
        AND e.event_timestamp >= b.archived::timestamp AT TIME ZONE 'UTC'
        AND e.event_timestamp < b.live::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2, 3
),

live AS (
    SELECT k.niche_id, k.day, k.event_type, k.events
    FROM analytics.niche_daily_activity_kept AS k
    CROSS JOIN before AS b
    WHERE k.day >= b.archived
),

counted AS (
    SELECT c.niche_id, c.day, c.event_type, sum(c.events)::bigint AS events
    FROM (
        SELECT a.niche_id, a.day, a.event_type, a.events FROM {archive}.niche_daily_activity_kept AS a
        UNION ALL
        SELECT later.niche_id, later.day, later.event_type, later.events FROM later
        UNION ALL
        SELECT live.niche_id, live.day, live.event_type, live.events FROM live
    ) AS c
    GROUP BY c.niche_id, c.day, c.event_type
),

kept AS (
    INSERT INTO analytics.niche_daily_activity_kept AS k (niche_id, day, event_type, events)
    SELECT c.niche_id, c.day, c.event_type, c.events FROM counted AS c
    ON CONFLICT (niche_id, day, event_type) DO UPDATE SET events = excluded.events
)

SELECT nullif(greatest(b.archived, b.live), '-infinity')::text AS horizon FROM before AS b;
