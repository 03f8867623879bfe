-- For one check: nothing waits for long.
SELECT
    set_config('lock_timeout', '2s', true),
    set_config('work_mem', '64MB', true);
