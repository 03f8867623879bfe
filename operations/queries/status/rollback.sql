-- The rollback that was begun and neither finished nor aborted.
SELECT r.rollback_id AS archive, r.target, r.phase, r.started, r.who
FROM sidb.rollback AS r
WHERE r.phase NOT IN ('done', 'aborted')
ORDER BY r.rollback_id DESC
LIMIT 1;
