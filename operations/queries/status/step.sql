-- The last attempt at a migration step.
SELECT s.revision, s.direction, s.outcome, s.started, s.validated, s.message
FROM sidb.step AS s
ORDER BY s.step_id DESC
LIMIT 1;
