-- Of the grants that the models make, those to an object that is there which the role does not hold.
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
        CASE WHEN w.kind IN ('TABLE', 'SEQUENCE') THEN c.oid END AS relation,
        CASE WHEN w.kind = 'FUNCTION' THEN f.oid END AS function,
        CASE WHEN w.kind = 'SCHEMA' THEN n.oid END AS schema
    FROM wanted AS w
    CROSS JOIN LATERAL regexp_split_to_table(w.privileges, ', ') AS p (privilege)
    INNER JOIN pg_namespace AS n ON n.nspname = split_part(w.name, '.', 1)
    LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = split_part(w.name, '.', 2)
    LEFT JOIN pg_proc AS f
        ON
            f.pronamespace = n.oid
            AND format('%%s.%%s(%%s)', n.nspname, f.proname, oidvectortypes(f.proargtypes)) = w.name
    LEFT JOIN pg_roles AS g ON g.rolname = w.role
)

SELECT DISTINCT
    t.role,
    t.grantee IS NOT NULL AS is_role,
    CASE WHEN t.grantee IS NOT NULL THEN format('GRANT %%s ON %%s %%s TO %%s', t.privilege, t.kind, t.name, t.role) END AS statement
FROM there AS t
WHERE
    coalesce(t.relation, t.function, t.schema) IS NOT NULL
    AND NOT coalesce(
        CASE t.kind
            WHEN 'TABLE' THEN has_table_privilege(t.grantee, t.relation, t.privilege)
            WHEN 'SEQUENCE' THEN has_sequence_privilege(t.grantee, t.relation, t.privilege)
            WHEN 'FUNCTION' THEN has_function_privilege(t.grantee, t.function, t.privilege)
            WHEN 'SCHEMA' THEN has_schema_privilege(t.grantee, t.schema, t.privilege)
        END, false
    )
ORDER BY t.role, statement;
