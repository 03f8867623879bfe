-- The tables of the bookkeeping, and the one of Alembic, that this role may read.
SELECT format('%I.%I', n.nspname, c.relname) AS name
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind = 'r'
    AND (n.nspname = 'sidb' OR (n.nspname = 'public' AND c.relname = 'alembic_version'))
    AND has_schema_privilege(n.oid, 'USAGE')
    AND has_table_privilege(c.oid, 'SELECT');
