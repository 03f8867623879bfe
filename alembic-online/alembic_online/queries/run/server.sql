-- What kind of server and session this is, and which of these settings anybody may make; a library's are not known yet.
SELECT
    pg_catalog.pg_backend_pid() AS pid,
    pg_catalog.pg_is_in_recovery() AS standby,
    pg_catalog.current_setting('transaction_read_only') = 'on' AS read_only,
    %(path)s::text AS path,
    ARRAY(
        SELECT n.name FROM unnest(%(names)s::text []) AS n (name)
        LEFT JOIN pg_catalog.pg_settings AS s ON s.name = n.name
        WHERE s.context = 'user' OR (s.name IS NULL AND strpos(n.name, '.') > 0)
    ) AS settable;
