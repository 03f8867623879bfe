-- Statements of applications that name event_id alone as the key of events, as pg_stat_statements has seen them here.
-- {schema} is that of the extension
SELECT left(regexp_replace(s.query, '\s+', ' ', 'g'), 100) AS query, sum(s.calls)::bigint AS calls
FROM {schema}.pg_stat_statements AS s
WHERE
    s.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND s.query ~* '^\s*(WITH|INSERT)\M'
    AND s.query ~* 'analytics_events'
    AND s.query ~* 'on\s+conflict\s*\(\s*event_id\s*\)'
GROUP BY query
ORDER BY calls DESC, query
LIMIT 5;
