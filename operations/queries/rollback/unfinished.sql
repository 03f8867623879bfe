-- What an exchange leaves to do: foreign keys to validate, materialized views to fill; the relation, and the statement.
SELECT
    format('%%I.%%I', n.nspname, c.relname) AS relation,
    format('ALTER TABLE %%I.%%I VALIDATE CONSTRAINT %%I', n.nspname, c.relname, k.conname) AS statement
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND NOT k.convalidated
UNION ALL
SELECT
    format('%%I.%%I', n.nspname, c.relname),
    format('REFRESH MATERIALIZED VIEW %%I.%%I', n.nspname, c.relname)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind = 'm' AND NOT c.relispopulated;
