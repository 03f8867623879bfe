-- The extensions whose objects lie in a schema.
SELECT e.extname
FROM pg_extension AS e
INNER JOIN pg_namespace AS n ON n.oid = e.extnamespace
WHERE n.nspname = :schema
ORDER BY e.extname
