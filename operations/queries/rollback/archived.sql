-- What a rollback put aside, with its size, of all its partitions, as far as it is still there; a table before copies of
-- its columns. Records of older code do not say under which name: that was the table's own.
SELECT
    a.relation,
    k.kept_as,
    a.kept_columns,
    a.definitions,
    a.place,
    a.rows_restored,
    a.rows_left,
    ARRAY(SELECT jsonb_array_elements_text(coalesce(to_jsonb(a) -> 'left_columns', '[]'))) AS left_columns,
    a.state,
    pg_total_relation_size(c.oid) + (
        SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0)::bigint
        FROM pg_partition_tree(c.oid) AS t
        WHERE t.level > 0
    ) AS bytes
FROM sidb.rollback_archived AS a
CROSS JOIN LATERAL (SELECT coalesce(to_jsonb(a) ->> 'kept_as', (parse_ident(a.relation))[2]) AS kept_as) AS k
LEFT JOIN pg_namespace AS n ON n.nspname = format('sidb_archive_%%s', a.rollback_id)
LEFT JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = k.kept_as
WHERE a.rollback_id = %(rollback_id)s
ORDER BY a.relation, a.kept_columns IS NOT NULL, k.kept_as;
