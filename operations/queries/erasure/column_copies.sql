-- Copies of columns in archives that are of the rows of this table, with their keys: those of the archive that the table is
-- in; where it is in use, or in a later archive, those of archives that were made without it, or from where it is back.
SELECT
    format('sidb_archive_%%s', a.rollback_id) AS archive,
    a.kept_as,
    array_agg(k.attname::text ORDER BY k.attnum) AS keys
FROM (SELECT substring(%(schema)s::text FROM '^sidb_archive_([0-9]+)$')::bigint AS number) AS s
CROSS JOIN sidb.rollback_archived AS a
INNER JOIN pg_namespace AS n ON n.nspname = format('sidb_archive_%%s', a.rollback_id)
INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = a.kept_as
INNER JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
INNER JOIN pg_attribute AS k ON k.attrelid = c.oid AND k.attnum = ANY(i.indkey)
WHERE
    a.kept_columns IS NOT NULL
    AND a.relation = %(relation)s
    AND (
        a.rollback_id = s.number
        OR (
            coalesce(a.rollback_id < s.number, true)
            AND NOT EXISTS (
                SELECT FROM sidb.rollback_archived AS w
                WHERE
                    w.rollback_id = a.rollback_id
                    AND w.relation = a.relation
                    AND w.kept_columns IS NULL
                    AND w.state NOT IN ('swapped', 'restored')
            )
        )
    )
GROUP BY a.rollback_id, a.kept_as
HAVING array_agg(k.attname::text) <@ %(columns)s::text []
ORDER BY a.rollback_id, a.kept_as;
