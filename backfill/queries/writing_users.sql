-- The transactions that hold the shared advisory lock of those who write rows of users.
SELECT
    l.virtualtransaction AS transaction,
    coalesce('pid ' || l.pid, 'a prepared transaction') AS who
FROM pg_locks AS l
WHERE
    l.locktype = 'advisory'
    AND l.objsubid = 1
    AND l.granted
    AND (l.classid::bigint << 32) | l.objid::bigint = CAST(:key AS bigint)
    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND l.pid IS DISTINCT FROM pg_backend_pid()
