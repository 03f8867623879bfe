-- Whether a rollback was given up after an attempt at a step: then nobody goes on with that.
SELECT r.rollback_id FROM sidb.rollback AS r WHERE r.phase = 'aborted' AND r.finished >= %(started)s LIMIT 1;
