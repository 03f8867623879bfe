-- Who may read and write these relations whatever is revoked, and how many sessions of theirs are in this database.
SELECT
    r.rolname::text AS role,
    CASE
        WHEN r.rolsuper THEN 'a superuser'
        WHEN r.rolname = current_user THEN 'the role that migrates'
        WHEN EXISTS (
            SELECT FROM pg_class AS c
            WHERE
                c.oid IN (SELECT to_regclass(named) FROM unnest(%(relations)s::text []) AS named)
                AND pg_has_role(r.oid, c.relowner, 'USAGE')
        ) THEN 'has the owner''s rights'
        ELSE 'may read or write all data'
    END AS why,
    (
        SELECT count(*) FROM pg_stat_activity AS a
        WHERE
            a.usesysid = r.oid
            AND a.datname = current_database()
            AND a.pid <> pg_backend_pid()
            AND a.application_name NOT LIKE 'sidb%%'
    ) AS sessions
FROM pg_roles AS r
WHERE
    r.rolcanlogin
    AND (
        r.rolsuper
        OR pg_has_role(r.oid, 'pg_read_all_data', 'USAGE')
        OR pg_has_role(r.oid, 'pg_write_all_data', 'USAGE')
        OR EXISTS (
            SELECT FROM pg_class AS c
            WHERE
                c.oid IN (SELECT to_regclass(named) FROM unnest(%(relations)s::text []) AS named)
                AND pg_has_role(r.oid, c.relowner, 'USAGE')
        )
    )
ORDER BY sessions DESC, role;
