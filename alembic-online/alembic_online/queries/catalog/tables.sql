-- The table without its parts: persistence, storage options, partitioning, replica identity, row security.
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
        ' WITH (' || array_to_string(c.reloptions, ', ') || ')',
        CASE WHEN c.relrowsecurity THEN format(E';\nALTER TABLE %s ENABLE ROW LEVEL SECURITY', c.oid::regclass) END,
        CASE WHEN c.relforcerowsecurity THEN format(E';\nALTER TABLE %s FORCE ROW LEVEL SECURITY', c.oid::regclass) END,
        CASE c.relreplident
            WHEN 'f' THEN format(E';\nALTER TABLE %s REPLICA IDENTITY FULL', c.oid::regclass)
            WHEN 'n' THEN format(E';\nALTER TABLE %s REPLICA IDENTITY NOTHING', c.oid::regclass)
            WHEN 'i' THEN format(E';\nALTER TABLE %s REPLICA IDENTITY USING INDEX %I', c.oid::regclass, identity.relname)
        END
    ) AS definition,
    format('DROP TABLE %s', c.oid::regclass) AS removal,
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisreplident
LEFT JOIN pg_class AS identity ON identity.oid = i.indexrelid
WHERE c.oid = ANY(:relations) AND c.relkind IN ('r', 'p', 'f')
