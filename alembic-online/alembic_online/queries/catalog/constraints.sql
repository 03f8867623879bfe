-- A foreign key whose internal triggers are switched off is there and enforces nothing; nor does a key of a partitioned
-- table that not all of its partitions have.
SELECT
    'constraint' AS kind,
    n.nspname AS schema,
    c.relname AS name,
    k.conname AS part,
    concat(
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid)),
        ' /* index WITH (' || array_to_string(i.reloptions, ', ') || ') */',
        CASE
            WHEN EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgconstraint = k.oid AND t.tgisinternal AND t.tgenabled <> 'O')
                THEN ' /* its triggers are disabled */'
        END,
        CASE WHEN NOT x.indisvalid THEN ' /* INVALID */' END
    ) AS definition,
    format('ALTER TABLE %s DROP CONSTRAINT %I', c.oid::regclass, k.conname) AS removal,
    'pg_constraint'::regclass::oid AS classid,
    k.oid AS objid,
    0 AS objsubid
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_class AS i ON i.oid = k.conindid AND k.contype IN ('p', 'u', 'x')
LEFT JOIN pg_index AS x ON x.indexrelid = i.oid
WHERE
    k.conrelid = ANY(:relations)
    AND k.contype IN ('c', 'f', 'p', 'u', 'x')
    AND k.conparentid = 0 -- a foreign key's to one partition goes with that to the table
