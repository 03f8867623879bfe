-- The view of daily activity beside a recount of the events, of the niches in the sample, from the horizon on; some
-- differences.
WITH viewed AS (
    SELECT a.niche_id, a.day, a.event_type, a.events
    FROM analytics.niche_daily_activity AS a
    WHERE abs(hashint8extended(a.niche_id, %(seed)s) %% 10000) < %(of_10000)s AND a.day >= %(horizon)s::date
),

recounted AS (
    SELECT e.niche_id, (e.event_timestamp AT TIME ZONE 'UTC')::date AS day, e.event_type, count(*) AS events
    FROM analytics.analytics_events AS e
    WHERE
        e.niche_id IS NOT NULL
        AND abs(hashint8extended(e.niche_id, %(seed)s) %% 10000) < %(of_10000)s
        AND e.event_timestamp >= %(horizon)s::date::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2, 3
),

wrong AS MATERIALIZED (
    SELECT niche_id, day, event_type, coalesce(viewed.events, 0) AS viewed, coalesce(recounted.events, 0) AS recounted
    FROM viewed
    FULL JOIN recounted USING (niche_id, day, event_type)
    WHERE viewed.events IS DISTINCT FROM recounted.events
)

SELECT
    (SELECT coalesce(sum(r.events), 0)::bigint FROM recounted AS r) AS rows,
    (SELECT count(*) FROM wrong) AS wrong,
    ARRAY(
        SELECT format('niche %%s on %%s, %%s: the view says %%s, there are %%s', w.niche_id, w.day, w.event_type, w.viewed, w.recounted)
        FROM wrong AS w
        ORDER BY w.niche_id, w.day, w.event_type
        LIMIT 5
    ) AS examples;
