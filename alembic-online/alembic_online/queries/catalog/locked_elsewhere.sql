-- The relations outside of these schemas, PostgreSQL's own left out, on which this transaction holds a lock.
SELECT DISTINCT l.relation::regclass::text
FROM pg_locks AS l
INNER JOIN pg_class AS c ON c.oid = l.relation
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    l.pid = pg_backend_pid()
    AND l.locktype = 'relation'
    AND l.relation >= 16384
    AND n.nspname <> ALL(:schemas)
    AND n.nspname <> 'pg_toast'
ORDER BY 1
