UPDATE sidb.rollback SET was_paused = %(was_paused)s WHERE rollback_id = %(rollback_id)s;
