-- Keeps how far a table, or a copy of columns, is restored.
UPDATE sidb.rollback_archived SET
    state = %(state)s,
    place = coalesce(%(place)s, place),
    rows_restored = rows_restored + %(restored)s,
    rows_left = rows_left + %(left)s,
    restored_at = CASE WHEN %(state)s = 'restored' THEN clock_timestamp() END
WHERE rollback_id = %(rollback_id)s AND kept_as = %(kept_as)s;
