-- Whether an archive keeps a table whole; and what has the table's name in it: a copy of columns, as older code called
-- these and its interrupted copies, which nothing records; or another schema's table.
SELECT
    EXISTS (
        SELECT FROM sidb.rollback_archived AS a
        WHERE a.rollback_id = %(rollback_id)s AND a.relation = %(relation)s AND a.kept_columns IS NULL
    ) AS is_kept,
    c.oid IS NOT NULL AS is_taken,
    CASE WHEN a.kept_columns IS NULL THEN a.relation END AS other_table,
    (SELECT k.conname::text FROM pg_constraint AS k WHERE k.conrelid = c.oid AND k.contype = 'p') AS key
FROM (SELECT to_regnamespace(%(archive)s) AS oid) AS n
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = %(name)s
LEFT JOIN sidb.rollback_archived AS a ON a.rollback_id = %(rollback_id)s AND a.kept_as = c.relname;
