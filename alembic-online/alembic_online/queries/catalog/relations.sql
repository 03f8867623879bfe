-- The relations that are ours: all of one schema, and in public those named; neither partitions nor an extension's.
SELECT c.oid
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT c.relispartition
    AND (n.nspname = :schema OR (n.nspname = 'public' AND c.relname = ANY(:tables)))
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
