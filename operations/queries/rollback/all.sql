SELECT rollback_id, origin, target, phase, was_paused, started, finished, who
FROM sidb.rollback
ORDER BY rollback_id;
