-- Replication slots, and the bytes of WAL that each keeps from being removed.
SELECT
    slot_name AS name,
    slot_type AS kind,
    active,
    coalesce(wal_status, 'unknown') AS wal_status,
    coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint AS bytes
FROM pg_replication_slots
ORDER BY active, bytes DESC;
