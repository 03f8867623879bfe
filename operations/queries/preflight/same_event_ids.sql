-- Events that share their event_id with another one, which is the key again before 2.1.0: how many ids, and the first. The
-- key's indexes are read in their order.
SELECT count(*) AS ids, string_agg(s.event_id::text, ', ' ORDER BY s.event_id) FILTER (WHERE s.number <= 5) AS named
FROM (
    SELECT e.event_id, row_number() OVER (ORDER BY e.event_id) AS number
    FROM (
        SELECT
            each.event_id,
            lag(each.event_id) OVER (ORDER BY each.event_id) AS before
        FROM analytics.analytics_events AS each
    ) AS e
    WHERE e.event_id = e.before
    GROUP BY e.event_id
) AS s;
