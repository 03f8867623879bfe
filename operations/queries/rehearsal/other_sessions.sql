-- Other programs that are connected to this database.
SELECT DISTINCT coalesce(nullif(application_name, ''), 'unnamed') AS application
FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
ORDER BY application;
