-- What applications ask of these relations, as pg_stat_statements counts it; the costliest first.
-- parameters: relations (a regular expression of unqualified names); {schema} is that of the extension
SELECT
    s.queryid::text AS id,
    left(regexp_replace(s.query, '\s+', ' ', 'g'), 200) AS query,
    s.query ~* '^\s*(SELECT|WITH)\M' AND s.query !~* '\m(INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE)\M' AS reads,
    s.calls,
    s.mean_exec_time / 1000 AS mean_seconds,
    s.max_exec_time / 1000 AS max_seconds,
    s.total_exec_time / 1000 AS total_seconds
FROM {schema}.pg_stat_statements AS s
WHERE
    s.toplevel
    AND s.queryid IS NOT NULL
    AND s.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND s.query ~* %(relations)s
    AND s.query ~* '^\s*(SELECT|WITH|INSERT|UPDATE|DELETE|MERGE)\M'
    AND s.query !~* '\m(pg_catalog|pg_class|pg_stat\w*|to_regclass)\M'
ORDER BY s.total_exec_time DESC, s.queryid;
