-- Other people's open transactions in this database that are older than a limit, the oldest first; prepared ones too.
WITH sessions AS (
    SELECT a.pid, a.usename, a.application_name, a.state, a.xact_start, a.state_change
    FROM pg_stat_activity AS a
    WHERE
        a.datname = current_database()
        AND a.pid <> pg_backend_pid()
        AND coalesce(a.backend_type, 'client backend') = 'client backend'
)

SELECT
    format('pid %%s (user %%s, application %%s)', s.pid, s.usename, coalesce(nullif(s.application_name, ''), 'unnamed')) AS whose,
    coalesce(s.state LIKE 'idle in transaction%%', false) AS idle,
    extract(epoch FROM clock_timestamp() - s.xact_start)::float AS seconds
FROM sessions AS s
WHERE s.xact_start < clock_timestamp() - make_interval(secs => %(seconds)s)
UNION ALL
SELECT
    format('prepared transaction %%L (user %%s)', p.gid, p.owner) AS whose,
    false AS idle,
    extract(epoch FROM clock_timestamp() - p.prepared)::float AS seconds
FROM pg_prepared_xacts AS p
WHERE p.database = current_database() AND p.prepared < clock_timestamp() - make_interval(secs => %(seconds)s)
ORDER BY seconds DESC;
