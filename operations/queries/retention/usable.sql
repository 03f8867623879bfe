-- Whether this role may read the settings; NULL: there are none.
SELECT bool_and(has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'))
FROM pg_namespace AS n
INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname IN ('retention', 'expiry')
WHERE n.nspname = 'sidb';
