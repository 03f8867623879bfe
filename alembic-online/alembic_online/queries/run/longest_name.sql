-- How many characters of a revision's name Alembic's table holds, where it is there; NULL: any.
SELECT nullif(a.atttypmod, -1) - 4
FROM pg_attribute AS a
INNER JOIN pg_class AS c ON c.oid = a.attrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = %(schema)s AND c.relname = 'alembic_version' AND a.attname = 'version_num'
