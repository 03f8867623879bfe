-- The catalog before the first step that a rollback has undone.
SELECT s.before
FROM sidb.step AS s
INNER JOIN sidb.rollback AS r ON r.rollback_id = %(rollback_id)s
WHERE s.direction = 'downgrade' AND s.started BETWEEN r.started AND coalesce(r.finished, 'infinity')
ORDER BY s.step_id
LIMIT 1;
