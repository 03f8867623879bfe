-- What the migrating role lacks, each with the statement that gives it, to put a wider materialized view in the place of
-- Phase 1's, which is kept: a schema for it, and the privileges granted in the name of whoever granted them.
WITH me AS (
    SELECT quote_ident(current_user) AS name, quote_ident(current_database()) AS database
),

kept AS (
    SELECT c.oid, c.relacl, c.relowner
    FROM pg_class AS c
    WHERE
        c.oid = to_regclass('public.hot_niches_today')
        AND c.relkind = 'm'
        AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = c.oid AND a.attname = 'trend_direction')
),

acting AS (
    SELECT k.relowner AS role, 'owns' AS does FROM kept AS k
    UNION
    SELECT acl.grantor, 'passed privileges on'
    FROM kept AS k
    CROSS JOIN LATERAL aclexplode(k.relacl) AS acl
    WHERE acl.grantor <> k.relowner
)

SELECT
    format('not allowed: creating schemas in database %s', m.database) AS lacks,
    format('GRANT CREATE ON DATABASE %s TO %s', m.database, m.name) AS statement
FROM kept
CROSS JOIN me AS m
WHERE NOT has_database_privilege(current_database(), 'CREATE') AND to_regnamespace('analytics') IS NOT NULL
UNION ALL
SELECT
    format('%s %s hot_niches_today, and %s cannot act as it', pg_get_userbyid(a.role), a.does, m.name),
    format('GRANT %I TO %s', pg_get_userbyid(a.role), m.name)
    || CASE WHEN pg_has_role(a.role, 'MEMBER') THEN ' WITH SET TRUE' ELSE '' END
FROM acting AS a
CROSS JOIN me AS m
WHERE
    (a.does <> 'owns' OR pg_has_role(a.role, 'USAGE')) -- else it is asked of it already to be a member
    AND NOT CASE
        WHEN current_setting('server_version_num')::integer >= 160000 THEN pg_has_role(a.role, 'SET')
        ELSE pg_has_role(a.role, 'MEMBER')
    END
ORDER BY lacks
