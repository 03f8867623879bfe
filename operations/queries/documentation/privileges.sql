-- What the group roles and PUBLIC may do, one row an object, with one array of rights a role.
WITH objects AS (
    SELECT n.oid::regnamespace::text AS name, 'schema' AS kind, n.nspacl AS acl, 1 AS place
    FROM pg_namespace AS n
    WHERE n.nspname = %(schema)s
    UNION ALL
    SELECT c.oid::regclass::text, CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'relation' END, c.relacl, 2
    FROM pg_class AS c
    WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
    UNION ALL
    SELECT p.oid::regprocedure::text, 'function', coalesce(p.proacl, acldefault('f', p.proowner)), 3
    FROM pg_proc AS p
    WHERE p.pronamespace = %(schema)s::regnamespace
)

SELECT
    o.name,
    o.kind,
    r.role,
    string_agg(acl.privilege_type, ', ' ORDER BY acl.privilege_type) AS rights
FROM objects AS o
CROSS JOIN unnest(%(roles)s::text[]) WITH ORDINALITY AS r (role, number)
LEFT JOIN LATERAL aclexplode(o.acl) AS acl
    ON acl.grantee = CASE WHEN r.role = 'PUBLIC' THEN 0 ELSE to_regrole(r.role)::oid END
GROUP BY o.name, o.kind, o.place, r.role, r.number
ORDER BY o.place, o.kind, o.name, r.number
