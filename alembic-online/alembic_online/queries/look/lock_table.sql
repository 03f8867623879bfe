-- How many locks the server has room for, and how many are in use there: a session keeps weak ones by itself.
SELECT
    s.per_transaction * s.sessions AS room,
    s.per_transaction,
    s.sessions,
    (SELECT count(*) FROM pg_locks AS l WHERE NOT l.fastpath AND l.locktype <> 'virtualxid' AND l.mode <> 'SIReadLock') AS used
FROM (
    SELECT
        current_setting('max_locks_per_transaction')::integer AS per_transaction,
        current_setting('max_connections')::integer + current_setting('max_prepared_transactions')::integer AS sessions
) AS s
