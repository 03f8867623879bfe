-- What kind of server and session this is.
SELECT
    pg_backend_pid() AS pid,
    pg_is_in_recovery() AS standby,
    current_setting('transaction_read_only') = 'on' AS read_only;
