UPDATE sidb.rollback SET
    phase = %(phase)s,
    finished = CASE WHEN %(phase)s IN ('done', 'aborted') THEN clock_timestamp() END
WHERE rollback_id = %(rollback_id)s;
