-- The locks that this transaction holds on relations, and whether it leaves the relation there.
SELECT DISTINCT l.relation::bigint, l.mode, c.oid IS NOT NULL
FROM pg_locks AS l
LEFT JOIN pg_class AS c ON c.oid = l.relation
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted;
