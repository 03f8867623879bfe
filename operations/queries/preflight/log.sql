-- Where the server's log goes; `file` is NULL where this role may not see it.
SELECT
    current_setting('logging_collector') = 'on' AS collected,
    current_setting('log_destination') AS destination,
    (SELECT setting FROM pg_settings WHERE name = 'log_filename') AS file;
