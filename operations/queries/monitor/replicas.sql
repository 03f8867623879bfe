-- How far replicas are behind in replaying; on a standby, how far it is itself. Neither a base backup is a replica, nor
-- what reads a logical slot, as change data capture does: that confirms when it likes.
SELECT
    coalesce(nullif(r.application_name, ''), host(r.client_addr), 'replica') AS name,
    coalesce(extract(epoch FROM r.replay_lag), 0)::float AS seconds
FROM pg_stat_replication AS r
WHERE
    r.state IS DISTINCT FROM 'backup'
    AND NOT pg_is_in_recovery()
    AND NOT EXISTS (SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
UNION ALL
SELECT
    'this standby' AS name,
    CASE
        WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
        ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
    END::float AS seconds
WHERE pg_is_in_recovery()
ORDER BY name;
