-- What went wrong last, as the ledger keeps it.
SELECT s.started AS at, format('%s %s %s: %s', s.revision, s.direction, s.outcome, split_part(s.message, E'\n', 1)) AS line
FROM sidb.step AS s
WHERE s.message IS NOT NULL
ORDER BY s.step_id DESC
LIMIT 3;
