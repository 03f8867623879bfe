-- Scratch databases that this role may drop and whose session is gone: the number in the name is its process.
SELECT d.datname
FROM pg_database AS d
WHERE
    d.datname ~ ('^' || :prefix || '[0-9]+$')
    AND pg_has_role(d.datdba, 'USAGE')
    AND NOT EXISTS (
        SELECT FROM pg_stat_activity AS s
        WHERE s.application_name || '_' || s.pid = d.datname
    )
