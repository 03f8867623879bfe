-- Replicas that are more than so many seconds behind in replaying what the primary wrote. What reads a logical slot, as
-- change data capture does, confirms when it likes, and is none.
-- parameters: seconds
SELECT
    'replica ' || coalesce(nullif(r.application_name, ''), host(r.client_addr), 'on a socket')
    || ' is ' || round(extract(epoch FROM r.replay_lag), 1) || ' s behind' AS detail
FROM pg_stat_replication AS r
WHERE
    r.replay_lag > make_interval(secs => CAST(:seconds AS double precision))
    AND NOT EXISTS (SELECT FROM pg_replication_slots AS s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
ORDER BY r.replay_lag DESC
LIMIT 1;
