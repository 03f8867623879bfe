-- From when on the rows of a table are kept.
SELECT max(r.kept_from)::timestamp AT TIME ZONE 'UTC'
FROM analytics.retention AS r
WHERE r.relation = :relation
