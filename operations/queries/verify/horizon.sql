-- The UTC day from which events are kept and counted.
SELECT coalesce(max(r.kept_from), '-infinity')::text AS kept_from
FROM analytics.retention AS r
WHERE r.relation = 'analytics_events';
