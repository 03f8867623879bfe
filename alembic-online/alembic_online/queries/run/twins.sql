-- What our statements could call instead of PostgreSQL's own: in these schemas, functions and operators with a name of
-- pg_catalog's and other argument types, none of them a type of others', whose owner is a stranger: no superuser,
-- neither this role nor one that it was made a member of, and no owner of the schema or the database.
WITH strangers AS (
    SELECT r.oid, r.rolname FROM pg_roles AS r
    WHERE
        NOT r.rolsuper
        AND r.rolname NOT IN (current_user, session_user)
        AND (
            NOT pg_has_role(r.oid, 'MEMBER')
            OR (SELECT me.rolsuper FROM pg_roles AS me WHERE me.rolname = current_user)
        )
        AND r.oid <> (SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database())
)

SELECT format('function %%s of %%I', p.oid::regprocedure, s.rolname) AS twin
FROM pg_proc AS p
INNER JOIN strangers AS s ON s.oid = p.proowner
INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE
    n.nspname = ANY(%(schemas)s::text [])
    AND n.nspowner <> p.proowner
    AND EXISTS (
        SELECT FROM pg_proc AS theirs
        WHERE theirs.pronamespace = 'pg_catalog'::regnamespace AND theirs.proname = p.proname
    )
    AND NOT EXISTS (
        SELECT FROM pg_proc AS theirs
        WHERE
            theirs.pronamespace = 'pg_catalog'::regnamespace
            AND theirs.proname = p.proname
            AND theirs.proargtypes = p.proargtypes
    )
    AND NOT EXISTS (
        SELECT FROM unnest(p.proargtypes) AS a (type)
        INNER JOIN pg_type AS t ON t.oid = a.type
        WHERE t.typnamespace <> 'pg_catalog'::regnamespace
    )
UNION ALL
SELECT format('operator %%s of %%I', o.oid::regoperator, s.rolname)
FROM pg_operator AS o
INNER JOIN strangers AS s ON s.oid = o.oprowner
INNER JOIN pg_namespace AS n ON n.oid = o.oprnamespace
WHERE
    n.nspname = ANY(%(schemas)s::text [])
    AND n.nspowner <> o.oprowner
    AND EXISTS (
        SELECT FROM pg_operator AS theirs
        WHERE theirs.oprnamespace = 'pg_catalog'::regnamespace AND theirs.oprname = o.oprname
    )
    AND NOT EXISTS (
        SELECT FROM pg_type AS t
        WHERE t.oid IN (o.oprleft, o.oprright) AND t.typnamespace <> 'pg_catalog'::regnamespace
    )
ORDER BY twin;
