-- Group roles that are missing, and what those that are there may do beyond the privileges that are granted to them, each
-- with the statement that ends it.
SELECT format('%%s is missing, and grants to it were left out: CREATE ROLE %%I NOLOGIN; then sidb upgrade', w.name, w.name)
    AS wrong
FROM unnest(%(roles)s::text []) AS w (name)
WHERE
    NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = w.name)
    AND EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = 'analytics')
UNION ALL
SELECT format('%%s got no rights, as it was missing when they were granted: sidb upgrade, or sidb maintain', l.name)
FROM unnest(%(late)s::text []) AS l (name)
UNION ALL
SELECT g.rolname || ' is ' || a.what || format(': ALTER ROLE %%I NO%%s', g.rolname, a.attribute) AS wrong
FROM pg_roles AS g
CROSS JOIN LATERAL (
    VALUES
    (g.rolsuper, 'SUPERUSER', 'a superuser'),
    (g.rolcreaterole, 'CREATEROLE', 'allowed to create roles'),
    (g.rolcreatedb, 'CREATEDB', 'allowed to create databases'),
    (g.rolreplication, 'REPLICATION', 'allowed to replicate'),
    (g.rolbypassrls, 'BYPASSRLS', 'not bound by row security')
) AS a (is_so, attribute, what)
WHERE g.rolname = ANY(%(roles)s::text []) AND a.is_so
UNION ALL
SELECT format(
    '%%s is a member of %%s, which %%s: REVOKE %%I FROM %%I',
    g.rolname,
    r.rolname,
    CASE WHEN r.rolsuper THEN 'is a superuser' ELSE 'owns what they only use' END,
    r.rolname,
    g.rolname
)
FROM pg_roles AS g
INNER JOIN pg_roles AS r ON r.oid <> g.oid AND pg_has_role(g.oid, r.oid, 'MEMBER')
WHERE
    g.rolname = ANY(%(roles)s::text [])
    AND NOT g.rolsuper
    AND (
        r.rolsuper
        OR r.oid IN (SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'analytics')
        OR r.oid IN (
            SELECT c.relowner FROM pg_class AS c
            WHERE c.oid IN (
                SELECT t.oid FROM pg_class AS t
                INNER JOIN pg_namespace AS n ON n.oid = t.relnamespace
                WHERE n.nspname = 'analytics' OR (n.nspname = 'public' AND t.relname = 'features')
            )
        )
    )
ORDER BY 1;
