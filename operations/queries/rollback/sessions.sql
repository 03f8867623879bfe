-- Sessions of others that hold a lock on one of these relations, or on a partition or a child of one, which is locked with
-- it; what they do may be hidden from this role.
WITH RECURSIVE tree (relation) AS (
    SELECT to_regclass(r.named)::oid FROM unnest(%(relations)s::text []) AS r (named)
    UNION
    SELECT i.inhrelid FROM tree AS t INNER JOIN pg_inherits AS i ON i.inhparent = t.relation
)

SELECT DISTINCT a.pid, coalesce(a.usename::text, 'unknown') AS who, coalesce(a.application_name, '') AS application
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE
    l.relation IN (SELECT t.relation FROM tree AS t)
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.granted
    AND a.pid <> pg_backend_pid()
    AND (a.backend_type = 'client backend' OR (a.backend_type IS NULL AND a.usesysid IS NOT NULL))
ORDER BY a.pid;
