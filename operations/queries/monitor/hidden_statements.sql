-- How many statements on this database this role may not read; {schema} is that of pg_stat_statements.
SELECT count(*) AS hidden
FROM {schema}.pg_stat_statements AS s
WHERE
    s.query = '<insufficient privilege>'
    AND s.dbid = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database());
