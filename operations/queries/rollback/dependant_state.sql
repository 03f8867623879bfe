UPDATE sidb.rollback_dependant SET state = %(state)s
WHERE rollback_id = %(rollback_id)s AND place = %(place)s;
