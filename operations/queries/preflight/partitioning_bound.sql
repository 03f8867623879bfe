-- The table of events before it is partitioned: its size, the bound that it gets, and whether that is further ahead than
-- two months. No row where it is not there, or is partitioned already.
SELECT
    pg_relation_size(to_regclass('analytics.analytics_events')) AS bytes,
    to_char(date_trunc('month', greatest(now(), newest.at) AT TIME ZONE 'UTC') + interval '2 months', 'YYYY-MM-DD') AS bound,
    newest.at > now() + interval '1 month' AS is_far
FROM (SELECT max(e.event_timestamp) AS at FROM analytics.analytics_events AS e) AS newest;
