-- Whether this standby has replayed what its primary had written by then, whether replay is paused, and for how many
-- seconds nothing that was committed has arrived.
SELECT
    pg_is_in_recovery() AS standby,
    coalesce(pg_last_wal_replay_lsn() >= %(lsn)s::pg_lsn, false) AS replayed,
    CASE WHEN pg_is_in_recovery() THEN pg_get_wal_replay_pause_state() <> 'not paused' ELSE false END AS paused,
    coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)::float AS seconds;
