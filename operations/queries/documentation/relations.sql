-- The tables and views of ours: Phase 1's tables first, then schema analytics, each by name.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'table' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view' END AS kind,
    obj_description(c.oid, 'pg_class') AS meaning,
    pg_get_partkeydef(c.oid) AS partitioned
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind IN ('r', 'p', 'v', 'm')
    AND (n.nspname = %(schema)s OR n.nspname = 'public' AND c.relname = ANY(%(tables)s))
ORDER BY n.nspname = %(schema)s, array_position('{r,v,m}'::"char"[], CASE c.relkind WHEN 'p' THEN 'r' ELSE c.relkind END), c.relname
