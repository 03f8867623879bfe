-- Events dated more than a year ahead, the furthest first: how many, and which.
SELECT
    count(*) AS events,
    string_agg(format('%s (%s)', f.event_id, f.event_timestamp), ', ' ORDER BY f.number) FILTER (WHERE f.number <= 5) AS named
FROM (
    SELECT
        e.event_id,
        e.event_timestamp,
        row_number() OVER (ORDER BY e.event_timestamp DESC, e.event_id) AS number
    FROM analytics.analytics_events AS e
    WHERE e.event_timestamp > now() + interval '1 year'
) AS f;
