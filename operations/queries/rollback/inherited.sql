-- The columns of these names that tables have from one that they inherit from, and lose with it; not of partitions, whose
-- rows are the table's own.
WITH RECURSIVE below AS (
    SELECT i.inhrelid FROM pg_inherits AS i WHERE i.inhparent = %(oid)s
    UNION
    SELECT i.inhrelid FROM pg_inherits AS i INNER JOIN below AS b ON i.inhparent = b.inhrelid
)

SELECT
    c.oid::bigint AS oid,
    a.attnum::integer AS attnum,
    n.nspname::text AS schema,
    c.relname::text AS relation,
    a.attname::text AS column_name,
    format('%%I.%%I', n.nspname, c.relname) AS table_name,
    format('%%I.%%I.%%I', n.nspname, c.relname, a.attname) AS name
FROM below AS b
INNER JOIN pg_class AS c ON c.oid = b.inhrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid
WHERE
    c.relkind = 'r'
    AND NOT c.relispartition
    AND a.attname = ANY(%(names)s::name [])
    AND NOT a.attisdropped
    AND NOT a.attislocal
ORDER BY n.nspname, c.relname, a.attnum;
