-- Alembic's table in a schema that is named like the role, where there is none in the schema where it belongs.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relname = 'alembic_version'
    AND c.relkind = 'r'
    AND n.nspname IN (current_user, session_user)
    AND to_regclass(format('%%I.%%I', %(schema)s::text, c.relname)) IS NULL;
