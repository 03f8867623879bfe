-- Standbys that follow this server, and that this role may not see more of than that they are there.
SELECT count(*)
FROM pg_stat_replication AS r
WHERE
    r.state IS NULL
    AND NOT EXISTS (
        SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical'
    );
