-- What a rollback put aside, with its size as far as it is still there.
SELECT
    a.relation,
    a.kept_columns,
    a.definitions,
    a.place,
    a.rows_restored,
    a.rows_left,
    a.state,
    pg_total_relation_size(c.oid) AS bytes
FROM sidb.rollback_archived AS a
LEFT JOIN pg_class AS c
    ON c.oid = to_regclass(format('sidb_archive_%%s.%%I', a.rollback_id, split_part(a.relation, '.', 2)))
WHERE a.rollback_id = %(rollback_id)s
ORDER BY a.relation;
