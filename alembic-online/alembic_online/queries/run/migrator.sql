-- Who holds the migrators' lock of this database.
SELECT a.pid, a.application_name, a.client_addr::text AS address, a.backend_start AS since
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE
    l.locktype = 'advisory'
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint) = %(key)s
    AND l.objsubid = 1
    AND l.granted;
