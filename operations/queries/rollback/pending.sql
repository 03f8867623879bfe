-- The rollback that was begun and neither finished nor aborted.
SELECT rollback_id, origin, target, phase, was_paused, started, finished, who
FROM sidb.rollback
WHERE phase NOT IN ('done', 'aborted')
ORDER BY rollback_id DESC
LIMIT 1;
