-- What receives WAL from here; NULLs where this role may not see more than that. Bytes are those not yet replayed.
SELECT
    coalesce(nullif(application_name, ''), host(client_addr), 'on a socket') AS name,
    state,
    pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint AS bytes,
    extract(epoch FROM replay_lag)::float AS seconds
FROM pg_stat_replication
WHERE state IS DISTINCT FROM 'backup'
ORDER BY bytes DESC NULLS LAST;
