-- What the migrating role lacks, each with the statement that gives it, to put other materialized views in the place of
-- these: the privileges granted in the name of whoever granted them; where Phase 1's own is kept, a schema for it.
WITH me AS (
    SELECT quote_ident(current_user) AS name, quote_ident(current_database()) AS database
),

replaced AS (
    SELECT c.oid, c.relname, c.relacl, c.relowner
    FROM unnest(%(relations)s::text []) AS named (relation)
    INNER JOIN pg_class AS c ON c.oid = to_regclass(named.relation)
    WHERE c.relkind = 'm'
),

kept AS (
    SELECT r.oid
    FROM replaced AS r
    WHERE
        r.oid = to_regclass('public.hot_niches_today')
        AND NOT EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = r.oid AND a.attname = 'trend_direction')
),

acting AS (
    SELECT r.relname, r.relowner AS role, 'owns' AS does FROM replaced AS r
    UNION
    SELECT r.relname, acl.grantor, 'passed privileges on'
    FROM replaced AS r
    CROSS JOIN LATERAL aclexplode(r.relacl) AS acl
    WHERE acl.grantor <> r.relowner
)

SELECT
    format('not allowed: creating schemas in database %%s', m.database) AS lacks,
    format('GRANT CREATE ON DATABASE %%s TO %%s', m.database, m.name) AS statement
FROM kept
CROSS JOIN me AS m
WHERE NOT has_database_privilege(current_database(), 'CREATE') AND to_regnamespace('analytics') IS NOT NULL
UNION ALL
SELECT
    format('%%s %%s %%s, and %%s cannot act as it', pg_get_userbyid(a.role), a.does, a.relname, m.name),
    format('GRANT %%I TO %%s', pg_get_userbyid(a.role), m.name)
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
