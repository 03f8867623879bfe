-- What extensions have in these schemas, by schema and name.
SELECT DISTINCT n.nspname AS schema, coalesce(p.proname, t.typname, c.relname, o.oprname, k.opcname) AS name
FROM pg_depend AS d
LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
LEFT JOIN pg_type AS t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
LEFT JOIN pg_operator AS o ON d.classid = 'pg_operator'::regclass AND o.oid = d.objid
LEFT JOIN pg_opclass AS k ON d.classid = 'pg_opclass'::regclass AND k.oid = d.objid
INNER JOIN pg_namespace AS n
    ON n.oid = coalesce(p.pronamespace, t.typnamespace, c.relnamespace, o.oprnamespace, k.opcnamespace)
WHERE d.deptype = 'e' AND d.refclassid = 'pg_extension'::regclass AND n.nspname = ANY(:schemas)
