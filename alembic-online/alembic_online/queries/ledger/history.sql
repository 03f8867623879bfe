SELECT
    step_id, revision, direction, outcome, started, finished, seconds, lock_tries, seconds_waited, rows_changed, locks,
    victims, longest_victim_seconds, observed, validated, who, client, code_version, message
FROM {bookkeeping}.step
ORDER BY step_id;
