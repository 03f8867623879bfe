-- For one check: names are found in one place, no row is hidden by a policy unsaid, nothing waits for long.
SELECT
    set_config('search_path', 'public', true),
    set_config('row_security', 'off', true),
    set_config('lock_timeout', '2s', true),
    set_config('timezone', 'UTC', true),
    set_config('work_mem', '64MB', true);
