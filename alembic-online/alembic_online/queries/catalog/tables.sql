-- The table without its parts: persistence, partitioning, parents, access method, type.
SELECT
    'table' AS kind,
    n.nspname AS schema,
    c.relname AS name,
    '' AS part,
    concat(
        'CREATE ',
        CASE WHEN c.relpersistence = 'u' THEN 'UNLOGGED ' END,
        CASE WHEN c.relkind = 'f' THEN 'FOREIGN ' END,
        format('TABLE %s ()', c.oid::regclass),
        ' PARTITION BY ' || pg_get_partkeydef(c.oid),
        (
            SELECT ' INHERITS (' || string_agg(h.inhparent::regclass::text, ', ' ORDER BY h.inhseqno) || ')'
            FROM pg_inherits AS h
            WHERE h.inhrelid = c.oid
        ),
        ' USING ' || nullif(m.amname, 'heap'),
        ' OF ' || nullif(c.reloftype, 0)::regtype
    ) AS definition,
    format('DROP TABLE %s', c.oid::regclass) AS removal,
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_am AS m ON m.oid = c.relam
WHERE c.oid = ANY(:relations) AND c.relkind IN ('r', 'p', 'f')
