INSERT INTO sidb.rollback (origin, target, client)
VALUES (%(origin)s, %(target)s, %(client)s)
RETURNING rollback_id, origin, target, phase, was_paused, started, finished, who;
