-- Keeps the columns because of which rows of an archived table were left.
UPDATE sidb.rollback_archived SET left_columns = %(columns)s
WHERE rollback_id = %(rollback_id)s AND kept_as = %(kept_as)s;
