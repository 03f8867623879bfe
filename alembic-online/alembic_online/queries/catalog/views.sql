SELECT
    CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized_view' END AS kind,
    n.nspname AS schema,
    c.relname AS name,
    '' AS part,
    format(
        E'CREATE %s %s%s AS\n%s',
        CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END,
        c.oid::regclass,
        concat(' USING ' || nullif(m.amname, 'heap'), ' WITH (' || array_to_string(c.reloptions, ', ') || ')'),
        rtrim(pg_get_viewdef(c.oid), ';')
    ) AS definition,
    format('DROP %s %s', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'MATERIALIZED VIEW' END, c.oid::regclass) AS removal,
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_am AS m ON m.oid = c.relam
WHERE c.oid = ANY(:relations) AND c.relkind IN ('v', 'm')
