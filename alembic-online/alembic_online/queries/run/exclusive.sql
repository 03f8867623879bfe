-- The relations that this transaction holds for itself alone: what it dropped or changed is among them.
SELECT array_agg(DISTINCT l.relation::bigint)
FROM pg_locks AS l
WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted;
