SELECT
    'schema' AS kind,
    n.nspname AS schema,
    '' AS name,
    '' AS part,
    format('CREATE SCHEMA %I', n.nspname) AS definition,
    format('DROP SCHEMA %I', n.nspname) AS removal,
    'pg_namespace'::regclass::oid AS classid,
    n.oid AS objid,
    0 AS objsubid
FROM pg_namespace AS n
WHERE n.nspname = ANY(:schemas)
