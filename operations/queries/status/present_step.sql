-- The attempt at a step that is open in the ledger.
SELECT s.revision, s.direction, s.lock_tries, extract(epoch FROM clock_timestamp() - s.started)::float AS seconds
FROM sidb.step AS s
WHERE s.outcome = 'running'
ORDER BY s.step_id DESC
LIMIT 1;
