-- Whether somebody beside this project does something in this database, or did in the last second. A session that this
-- role may not look into (it needs pg_monitor) counts as one that does.
SELECT
    EXISTS (
        SELECT
        FROM pg_stat_activity AS a
        WHERE
            a.datname = current_database()
            AND a.pid <> pg_backend_pid()
            AND a.usesysid IS NOT NULL
            AND coalesce(a.backend_type, 'client backend') = 'client backend'
            AND coalesce(a.application_name, '') NOT LIKE 'sidb%'
            AND (
                a.state_change IS NULL
                OR a.state IN ('active', 'fastpath function call')
                OR a.state_change > clock_timestamp() - interval '1 second'
            )
    );
