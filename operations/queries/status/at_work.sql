-- Which other session holds the lock of rollbacks and restores, and which that of migrators, but for one of this name,
-- which has ended; none is seen on a standby.
SELECT
    max(a.pid) FILTER (WHERE l.key = hashtextextended('sidb rollback', 0)) AS way_back,
    max(a.pid) FILTER (WHERE l.key = %(migrators)s) AS migrator,
    pg_is_in_recovery() AS standby
FROM (
    SELECT k.pid, (k.classid::bigint << 32) | k.objid::bigint AS key
    FROM pg_locks AS k
    WHERE
        k.locktype = 'advisory'
        AND k.objsubid = 1
        AND k.granted
        AND k.pid <> pg_backend_pid()
        AND k.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
) AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE a.application_name IS DISTINCT FROM %(ended)s;
