-- How a standby is set: for how long replay waits for a query there (NULL: for as long as that takes), and whether the
-- primary keeps rows that its queries may still read.
SELECT
    nullif(d.setting::bigint, -1) / 1000.0 AS delay,
    current_setting('hot_standby_feedback') = 'on' AS feedback,
    pg_get_wal_replay_pause_state() <> 'not paused' AS paused
FROM pg_settings AS d
WHERE d.name = 'max_standby_streaming_delay';
