-- Group roles that are there and hold no USAGE on the schema themselves: they were missing when it was made. What a role
-- may by PUBLIC's right or as a member of another one is no grant to it.
SELECT r.rolname
FROM pg_roles AS r
INNER JOIN pg_namespace AS n ON n.nspname = %(schema)s
WHERE
    r.rolname = ANY(%(roles)s::text [])
    AND NOT EXISTS (
        SELECT FROM aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) AS held
        WHERE held.grantee = r.oid AND held.privilege_type = 'USAGE'
    )
ORDER BY 1;
