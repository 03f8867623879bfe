SELECT
    'function' AS kind,
    n.nspname AS schema,
    -- the signature without its schema
    format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)) AS name,
    '' AS part,
    CASE
        WHEN p.prokind = 'a' THEN format('CREATE AGGREGATE %s /* as pg_dump prints it */', p.oid::regprocedure)
        ELSE rtrim(pg_get_functiondef(p.oid), E'\n')
    END AS definition,
    format('DROP ROUTINE %s', p.oid::regprocedure) AS removal,
    'pg_proc'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid
FROM pg_proc AS p
INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE
    n.nspname = ANY(:schemas)
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
    )
