-- Group roles that are missing, and what those that are there may do beyond the privileges that are granted to them, each
-- with the statement that ends it. One that may log in may have been there before, and be what an application uses.
SELECT format('%%s is missing, and grants to it were left out: CREATE ROLE %%I NOLOGIN; then sidb upgrade', w.name, w.name)
    AS wrong,
    true AS fails
FROM unnest(%(roles)s::text []) AS w (name)
WHERE
    NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = w.name)
    AND EXISTS (SELECT FROM pg_namespace AS n WHERE n.nspname = 'analytics')
UNION ALL
SELECT format('%%s got no rights, as it was missing when they were granted: sidb upgrade, or sidb maintain', l.name), true
FROM unnest(%(late)s::text []) AS l (name)
UNION ALL
SELECT g.rolname || ' is ' || a.what || format(': ALTER ROLE %%I NO%%s', g.rolname, a.attribute), a.attribute <> 'LOGIN'
FROM pg_roles AS g
CROSS JOIN LATERAL (
    VALUES
    (g.rolsuper, 'SUPERUSER', 'a superuser'),
    (g.rolcreaterole, 'CREATEROLE', 'allowed to create roles'),
    (g.rolcreatedb, 'CREATEDB', 'allowed to create databases'),
    (g.rolcanlogin, 'LOGIN', 'allowed to log in'),
    (g.rolreplication, 'REPLICATION', 'allowed to replicate'),
    (g.rolbypassrls, 'BYPASSRLS', 'not bound by row security')
) AS a (is_so, attribute, what)
WHERE g.rolname = ANY(%(roles)s::text []) AND a.is_so
UNION ALL
-- Whatever a group role is a member of, it has got since, and has the memberships of that as well. A membership is revoked
-- as whoever granted it; before PostgreSQL 16 that makes no difference, and whoever it was may be gone.
SELECT format(
    '%%s is a member of %%s%%s: REVOKE %%I FROM %%I%%s',
    g.rolname,
    r.rolname,
    CASE
        WHEN r.rolsuper THEN ', which is a superuser'
        WHEN r.oid = ANY(owners.oids) THEN ', which owns what they only use'
        ELSE
            ', and through it of ' || (
                SELECT string_agg(far.rolname, ', ' ORDER BY far.rolname)
                FROM pg_roles AS far
                WHERE far.oid <> r.oid AND far.rolname <> 'pg_database_owner' AND pg_has_role(r.oid, far.oid, 'MEMBER')
            )
    END,
    r.rolname,
    g.rolname,
    CASE
        WHEN current_setting('server_version_num')::integer >= 160000 AND m.grantor <> 10 -- the first superuser
            THEN format(' GRANTED BY %%I', pg_get_userbyid(m.grantor))
    END
), true
FROM pg_auth_members AS m
INNER JOIN pg_roles AS g ON g.oid = m.member
INNER JOIN pg_roles AS r ON r.oid = m.roleid
CROSS JOIN (
    SELECT ARRAY(
        SELECT n.nspowner FROM pg_namespace AS n WHERE n.nspname = 'analytics'
        UNION
        SELECT c.relowner
        FROM pg_class AS c
        INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'analytics' OR (n.nspname = 'public' AND c.relname = 'features')
    ) AS oids
) AS owners
WHERE g.rolname = ANY(%(roles)s::text [])
ORDER BY 1;
