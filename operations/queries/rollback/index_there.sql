-- Whether an index, named as PostgreSQL prints it, is valid, and the statement that makes it.
SELECT i.indisvalid, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index AS i
WHERE i.indexrelid = to_regclass(%(index)s);
