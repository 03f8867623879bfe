-- Of the grants that the models make, those to an object that is there which the role does not hold itself; what everybody
-- may do, as others' default privileges have it, is no grant to it.
WITH wanted AS (
    SELECT w.role, w.privileges, split_part(w.object, ' ', 1) AS kind, substr(w.object, strpos(w.object, ' ') + 1) AS name
    FROM unnest(%(roles)s::text [], %(privileges)s::text [], %(objects)s::text []) AS w (role, privileges, object)
),

there AS (
    SELECT
        w.role,
        w.kind,
        w.name,
        p.privilege,
        g.oid AS grantee,
        CASE WHEN w.kind = 'SCHEMA' THEN n.oid ELSE coalesce(c.oid, f.oid) END AS object,
        CASE WHEN w.kind = 'SCHEMA' THEN n.nspacl ELSE coalesce(c.relacl, f.proacl) END AS acl
    FROM wanted AS w
    CROSS JOIN LATERAL regexp_split_to_table(w.privileges, ', ') AS p (privilege)
    INNER JOIN pg_namespace AS n ON n.nspname = split_part(w.name, '.', 1)
    LEFT JOIN pg_class AS c
        ON w.kind <> 'FUNCTION' AND c.relnamespace = n.oid AND c.relname = split_part(w.name, '.', 2)
    LEFT JOIN pg_proc AS f
        ON
            f.pronamespace = n.oid
            AND format('%%s.%%s(%%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes)) = w.name
    LEFT JOIN pg_roles AS g ON g.rolname = w.role
)

SELECT DISTINCT
    t.role,
    CASE WHEN t.grantee IS NOT NULL THEN format('GRANT %%s ON %%s %%s TO %%s', t.privilege, t.kind, t.name, t.role) END AS statement
FROM there AS t
WHERE
    t.object IS NOT NULL
    AND NOT EXISTS (
        SELECT FROM aclexplode(t.acl) AS held WHERE held.grantee = t.grantee AND held.privilege_type = t.privilege
    )
ORDER BY t.role, statement;
