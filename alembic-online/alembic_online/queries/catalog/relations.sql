-- The relations that are ours: all of our schemas, and elsewhere those named; neither partitions nor an extension's,
-- nor Alembic's own table.
SELECT c.oid, format('%s.%s', n.nspname, c.relname) AS name
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND NOT c.relispartition
    AND (n.nspname = ANY(:schemas) OR format('%s.%s', n.nspname, c.relname) = ANY(:shared))
    AND c.relname <> :version_table
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
    )
