-- The indexes of one relation but for those that a constraint made.
SELECT c.relname AS name, regexp_replace(pg_get_indexdef(i.indexrelid), '^CREATE (UNIQUE )?INDEX .* USING ', '\1') AS definition
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE
    i.indrelid = %(relation)s::regclass
    AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x'))
ORDER BY c.relname
