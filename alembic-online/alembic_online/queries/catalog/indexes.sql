-- Indexes that stand for themselves; those of a key or an exclusion are told with their constraint.
SELECT
    'index' AS kind,
    n.nspname AS schema,
    c.relname AS name,
    x.relname AS part,
    concat(pg_get_indexdef(i.indexrelid), CASE WHEN NOT i.indisvalid THEN ' /* INVALID */' END) AS definition,
    format('DROP INDEX %s', i.indexrelid::regclass) AS removal,
    'pg_class'::regclass::oid AS classid,
    i.indexrelid AS objid,
    0 AS objsubid
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indrelid
INNER JOIN pg_class AS x ON x.oid = i.indexrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    i.indrelid = ANY(:relations)
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
    )
