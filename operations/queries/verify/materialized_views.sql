-- The materialized views of schema analytics with their queries.
SELECT
    ARRAY[n.nspname, c.relname] AS view,
    c.relname AS name,
    c.relispopulated AS populated,
    rtrim(pg_get_viewdef(c.oid), ';') AS definition
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = 'analytics' AND c.relkind = 'm'
ORDER BY c.relname;
