-- Samples and alerts through JSON: where only older code has been here, the table does not have the columns.
SELECT
    s.step_id, s.revision, s.direction, s.outcome, s.started, s.finished, s.seconds, s.lock_tries, s.seconds_waited,
    s.rows_changed, s.locks, s.victims AS blocked_sessions, s.longest_victim_seconds AS longest_block_seconds,
    s.observed, s.validated, s.who, s.client, s.code_version, s.message,
    nullif(to_jsonb(s) -> 'samples', 'null') AS samples,
    nullif(to_jsonb(s) -> 'alerts', 'null') AS alerts
FROM {bookkeeping}.step AS s
ORDER BY s.step_id;
