-- Begins again with a restored table, for so many rows that were left because of columns that it lacked.
UPDATE sidb.rollback_archived SET
    state = 'merging',
    place = NULL,
    rows_left = greatest(rows_left - %(rows)s, 0),
    restored_at = NULL
WHERE rollback_id = %(rollback_id)s AND kept_as = %(kept_as)s AND state = 'restored';
