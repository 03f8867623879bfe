-- From when on events are kept.
SELECT max(r.kept_from)::timestamp AT TIME ZONE 'UTC'
FROM analytics.retention AS r
WHERE r.relation = 'analytics_events'
