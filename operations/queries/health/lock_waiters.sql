-- Sessions of this database that have waited for a lock for longer than so many seconds.
-- parameters: seconds
SELECT count(DISTINCT l.pid) || ' sessions wait for locks' AS detail
FROM pg_locks AS l
INNER JOIN pg_stat_activity AS a ON a.pid = l.pid
WHERE
    NOT l.granted
    AND a.datname = current_database()
    AND l.waitstart < clock_timestamp() - make_interval(secs => CAST(:seconds AS double precision))
HAVING count(*) > 0;
