-- What an exchange leaves to do: foreign keys to validate, but those of others that were not when they were put aside;
-- materialized views to fill; the relation, and the statement.
SELECT
    format('%%I.%%I', n.nspname, c.relname) AS relation,
    format('ALTER TABLE %%I.%%I VALIDATE CONSTRAINT %%I', n.nspname, c.relname, k.conname) AS statement
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    n.nspname = %(schema)s
    AND k.contype = 'f'
    AND NOT k.convalidated
    AND (
        format('constraint %%s.%%s.%%s', n.nspname, c.relname, k.conname) = ANY(%(ours)s)
        OR NOT EXISTS (
            SELECT FROM sidb.rollback_archived AS a
            CROSS JOIN unnest(a.definitions) AS d (statement)
            WHERE
                a.relation = format('%%s.%%s', n.nspname, c.relname)
                AND starts_with(
                    d.statement, format('ALTER TABLE %%I.%%I ADD CONSTRAINT %%I ', n.nspname, c.relname, k.conname)
                )
                AND d.statement ~ ' NOT (VALID|ENFORCED)$'
        )
    )
UNION ALL
SELECT
    format('%%I.%%I', n.nspname, c.relname),
    format('REFRESH MATERIALIZED VIEW %%I.%%I', n.nspname, c.relname)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind = 'm' AND NOT c.relispopulated;
