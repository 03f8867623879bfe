SELECT r.rollback_id, r.origin, r.target, r.phase, r.started, r.finished, r.who, r.client
FROM sidb.rollback AS r
ORDER BY r.rollback_id;
