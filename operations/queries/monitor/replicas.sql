-- How far replicas are behind in replaying; on a standby, how far it is itself. A base backup is no replica.
SELECT
    coalesce(nullif(r.application_name, ''), host(r.client_addr), 'replica') AS name,
    coalesce(extract(epoch FROM r.replay_lag), 0)::float AS seconds
FROM pg_stat_replication AS r
WHERE r.state IS DISTINCT FROM 'backup' AND NOT pg_is_in_recovery()
UNION ALL
SELECT
    'this standby' AS name,
    CASE
        WHEN pg_last_wal_receive_lsn() <= pg_last_wal_replay_lsn() THEN 0
        ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
    END::float AS seconds
WHERE pg_is_in_recovery()
ORDER BY name;
