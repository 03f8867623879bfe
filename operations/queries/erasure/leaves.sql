-- The tables that hold the rows of a table: itself, its partitions, its children; with their size in pages.
WITH RECURSIVE tree AS (
    SELECT to_regclass(%(relation)s)::oid AS oid
    UNION ALL
    SELECT i.inhrelid FROM pg_inherits AS i INNER JOIN tree AS t ON t.oid = i.inhparent
)

SELECT
    format('%%I.%%I', n.nspname, c.relname) AS name,
    n.nspname::text AS schema,
    c.relname::text AS relation,
    (pg_relation_size(c.oid) / current_setting('block_size')::bigint)::bigint AS pages
FROM tree AS t
INNER JOIN pg_class AS c ON c.oid = t.oid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r'
ORDER BY c.oid;
