-- For one check: nothing waits for long, and a table that somebody holds makes many checks wait.
SELECT
    set_config('lock_timeout', '500ms', true),
    set_config('work_mem', '64MB', true);
