-- Whose the views and functions of these schemas are, as the statements that give them to their owners.
SELECT
    n.nspname AS schema,
    c.relname AS name,
    format(
        'ALTER %s %s OWNER TO %I',
        CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'VIEW' END, c.oid::regclass, pg_get_userbyid(c.relowner)
    ) AS statement
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('v', 'm')
UNION ALL
SELECT
    n.nspname,
    format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)),
    format('ALTER ROUTINE %s OWNER TO %I', p.oid::regprocedure, pg_get_userbyid(p.proowner))
FROM pg_proc AS p
INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = ANY(:schemas)
