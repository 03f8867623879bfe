-- What kind of server, database and session this is.
SELECT
    split_part(current_setting('server_version'), ' ', 1) AS version,
    pg_backend_pid() AS pid,
    pg_is_in_recovery() AS standby,
    current_setting('transaction_read_only') = 'on' AS read_only,
    current_setting('server_encoding') AS encoding;
