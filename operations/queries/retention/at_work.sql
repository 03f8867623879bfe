-- Who lets rows go in this database now, as a session's lock says.
SELECT a.pid, coalesce(a.usename::text, 'unknown') AS who, coalesce(a.application_name, '') AS application
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE
    l.locktype = 'advisory'
    AND l.objsubid = 1
    AND l.granted
    AND l.pid <> pg_backend_pid()
    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended('sidb retention', 0);
