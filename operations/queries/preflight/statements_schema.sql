-- Where pg_stat_statements is, if it is in this database.
SELECT n.nspname AS schema
FROM pg_extension AS e
INNER JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE e.extname = 'pg_stat_statements';
