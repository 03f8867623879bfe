-- Login roles by which applications reach this database: those named, or else those with a session in it or a privilege
-- on Phase 1's tables. Why taking privileges away would not shut them out of Phase 2's tables, which the migrating role
-- will own; NULL: it would.
WITH tables AS (
    SELECT oid, relowner, relacl FROM pg_class
    WHERE oid IN (to_regclass('public.features'), to_regclass('public.hot_niches_today'))
),

reaching AS (
    SELECT a.usesysid AS oid, string_agg(DISTINCT nullif(a.application_name, ''), ', ') AS programs
    FROM pg_stat_activity AS a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.application_name NOT LIKE 'sidb%%'
    GROUP BY a.usesysid
    UNION ALL
    SELECT acl.grantee, NULL
    FROM tables AS t
    CROSS JOIN LATERAL aclexplode(t.relacl) AS acl
    WHERE acl.grantee <> t.relowner
)

SELECT
    r.rolname AS name,
    max(reaching.programs) AS programs,
    CASE
        WHEN r.rolsuper THEN 'is a superuser'
        WHEN r.rolname IN (session_user, current_user) THEN 'is the migrating role itself'
        WHEN pg_has_role(r.oid, (SELECT m.oid FROM pg_roles AS m WHERE m.rolname = current_user), 'USAGE')
            THEN 'has the migrating role''s rights'
        WHEN pg_has_role(r.oid, 'pg_read_all_data', 'USAGE') OR pg_has_role(r.oid, 'pg_write_all_data', 'USAGE')
            THEN 'may read or write all data'
    END AS cannot_be_shut_out
FROM pg_roles AS r
LEFT JOIN reaching ON reaching.oid = r.oid
WHERE
    r.rolcanlogin
    AND CASE WHEN %(named)s::text [] = '{}' THEN reaching.oid IS NOT NULL ELSE r.rolname = ANY(%(named)s) END
GROUP BY r.oid, r.rolname, r.rolsuper
ORDER BY r.rolname;
