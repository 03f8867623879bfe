-- What the migrating role lacks, each with the statement that gives it. Ownership of Phase 1's tables is looked at by
-- the baseline revision itself.
WITH me (name) AS (
    SELECT quote_ident(current_user)
),

database (name) AS (
    SELECT quote_ident(current_database())
)

SELECT
    format('it may not create schemas in database %s', d.name) AS lacks,
    format('GRANT CREATE ON DATABASE %s TO %s', d.name, m.name) AS statement
FROM me AS m CROSS JOIN database AS d
WHERE NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT 'it may not create Alembic''s table in schema public', format('GRANT USAGE, CREATE ON SCHEMA public TO %s', m.name)
FROM me AS m
WHERE
    to_regclass('public.alembic_version') IS NULL
    AND NOT coalesce(has_schema_privilege(to_regnamespace('public'), 'CREATE'), false)
UNION ALL
SELECT
    format('schema %s belongs to %s', n.nspname, pg_get_userbyid(n.nspowner)),
    format('GRANT %I TO %s', pg_get_userbyid(n.nspowner), m.name)
FROM pg_namespace AS n CROSS JOIN me AS m
WHERE n.nspname IN ('analytics', 'analytics_phase1', 'sidb') AND NOT pg_has_role(n.nspowner, 'USAGE')
UNION ALL
SELECT
    format('%s passed privileges on hot_niches_today on, and it is not a member of that role', grantors.name),
    format('GRANT %I TO %s', grantors.name, m.name)
FROM (
    SELECT DISTINCT pg_get_userbyid(acl.grantor) AS name
    FROM pg_class AS c
    CROSS JOIN LATERAL aclexplode(c.relacl) AS acl
    WHERE
        c.oid = to_regclass('public.hot_niches_today')
        AND c.relkind = 'm'
        AND acl.grantor <> c.relowner
        AND NOT pg_has_role(acl.grantor, 'MEMBER')
) AS grantors
CROSS JOIN me AS m
ORDER BY 1;
