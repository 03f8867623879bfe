-- What receives WAL from here; NULLs where this role may not see more than that. Bytes are those not yet replayed. What
-- reads a logical slot, as change data capture does, confirms when it likes, and is no replica.
SELECT
    coalesce(nullif(r.application_name, ''), host(r.client_addr), 'on a socket') AS name,
    r.state,
    pg_wal_lsn_diff(pg_current_wal_lsn(), r.replay_lsn)::bigint AS bytes,
    extract(epoch FROM r.replay_lag)::float AS seconds
FROM pg_stat_replication AS r
WHERE
    r.state IS DISTINCT FROM 'backup'
    AND NOT EXISTS (SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
ORDER BY bytes DESC NULLS LAST;
