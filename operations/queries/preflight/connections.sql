-- Connections in use, and how many ordinary roles may have: on the server, in this database, and as this role.
-- Reserved are those of superusers and, since PostgreSQL 16, of pg_use_reserved_connections.
SELECT
    (SELECT sum(numbackends) FROM pg_stat_database)::integer AS used,
    current_setting('max_connections')::integer
    - current_setting('superuser_reserved_connections')::integer
    - coalesce(current_setting('reserved_connections', true), '0')::integer AS allowed,
    (
        SELECT nullif(d.datconnlimit, -1) - s.numbackends
        FROM pg_database AS d
        INNER JOIN pg_stat_database AS s ON s.datid = d.oid
        WHERE d.datname = current_database()
    ) AS left_in_database,
    (
        SELECT nullif(r.rolconnlimit, -1) - (SELECT count(*) FROM pg_stat_activity WHERE usesysid = r.oid)
        FROM pg_roles AS r
        WHERE r.rolname = session_user
    )::integer AS left_to_role;
