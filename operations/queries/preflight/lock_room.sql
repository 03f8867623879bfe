-- How many locks the server has room for, and the sessions of this database.
SELECT
    current_setting('max_locks_per_transaction')::integer
    * (current_setting('max_connections')::integer + current_setting('max_prepared_transactions')::integer) AS room,
    (SELECT count(*) FROM pg_stat_activity AS a WHERE a.datname = current_database()) AS sessions_now;
