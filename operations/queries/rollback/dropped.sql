WITH objects AS (
    UPDATE sidb.rollback_dependant SET state = 'dropped'
    WHERE rollback_id = %(rollback_id)s AND state <> 'back'
)

UPDATE sidb.rollback_archived SET state = 'dropped'
WHERE rollback_id = %(rollback_id)s AND state <> 'restored';
