-- Columns and constraints that a table has because its parent has them: they come and go with the parent's.
WITH children AS (
    SELECT i.inhrelid, i.inhparent, cn.nspname AS schema, c.relname AS name, pn.nspname AS parent_schema, p.relname AS parent
    FROM pg_inherits AS i
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid
    INNER JOIN pg_namespace AS cn ON cn.oid = c.relnamespace
    INNER JOIN pg_class AS p ON p.oid = i.inhparent
    INNER JOIN pg_namespace AS pn ON pn.oid = p.relnamespace
)

SELECT 'column' AS kind, c.schema, c.name, a.attname AS part, c.parent_schema, c.parent
FROM children AS c
INNER JOIN pg_attribute AS a ON a.attrelid = c.inhrelid AND a.attinhcount > 0 AND NOT a.attislocal AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', c.schema, c.name, k.conname, c.parent_schema, c.parent
FROM children AS c
INNER JOIN pg_constraint AS k ON k.conrelid = c.inhrelid AND k.coninhcount > 0 AND NOT k.conislocal
