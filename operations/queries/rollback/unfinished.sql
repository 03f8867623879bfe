-- What an exchange leaves to do, in our schema and on tables elsewhere that have just come back: materialized views to fill,
-- which readers wait for, then foreign keys to validate, but those of others that were not when they were put aside; the
-- relation, and the statement.
SELECT
    format('%%I.%%I', n.nspname, c.relname) AS relation,
    format('REFRESH MATERIALIZED VIEW %%I.%%I', n.nspname, c.relname) AS statement,
    true AS is_view
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relkind = 'm' AND NOT c.relispopulated
UNION ALL
SELECT
    format('%%I.%%I', n.nspname, c.relname),
    format('ALTER TABLE %%I.%%I VALIDATE CONSTRAINT %%I', n.nspname, c.relname, k.conname),
    false
FROM pg_constraint AS k
INNER JOIN pg_class AS c ON c.oid = k.conrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    (
        n.nspname = %(schema)s
        OR format('%%s.%%s', n.nspname, c.relname) IN (
            SELECT s.relation FROM sidb.rollback_archived AS s WHERE s.state = 'swapped'
        )
    )
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
ORDER BY is_view DESC, relation, statement;
