-- Other programs that are connected to this database. Of another role's session its kind may be hidden.
SELECT DISTINCT coalesce(nullif(a.application_name, ''), 'unnamed') AS application
FROM pg_stat_activity AS a
WHERE
    a.datname = current_database()
    AND a.usesysid IS NOT NULL
    AND coalesce(a.backend_type, 'client backend') = 'client backend'
    AND a.pid <> pg_backend_pid()
ORDER BY application;
