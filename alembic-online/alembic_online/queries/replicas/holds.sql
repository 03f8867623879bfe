-- Whether a session holds a relation for itself alone: whoever reads it waits for that session.
SELECT EXISTS (
    SELECT FROM pg_locks AS l
    WHERE l.pid = %(migrator)s AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.granted
);
