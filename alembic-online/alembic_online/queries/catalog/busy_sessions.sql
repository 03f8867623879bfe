-- Other sessions in this database that did something in the last minute, or of which that cannot be seen. Autovacuum,
-- which belongs to no user and of which a plain role does not see what it is, is none.
SELECT count(*)
FROM pg_stat_activity AS s
WHERE
    s.datname = current_database()
    AND s.pid <> pg_backend_pid()
    AND s.usesysid IS NOT NULL
    AND (s.backend_type = 'client backend' OR s.backend_type IS NULL)
    AND (s.state IS DISTINCT FROM 'idle' OR s.state_change > clock_timestamp() - interval '1 minute')
