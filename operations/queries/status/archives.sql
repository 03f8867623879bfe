-- What rollbacks put aside and nobody has deleted: tables by their state, and bytes as far as they are there still, of all
-- partitions.
SELECT
    a.rollback_id AS archive,
    r.target,
    r.started,
    count(*) FILTER (WHERE a.state IN ('swapped', 'restored')) AS restored,
    count(*) AS tables,
    coalesce(sum(pg_total_relation_size(c.oid) + p.bytes), 0)::bigint AS bytes
FROM sidb.rollback_archived AS a
INNER JOIN sidb.rollback AS r ON r.rollback_id = a.rollback_id
INNER JOIN pg_namespace AS n ON n.nspname = format('sidb_archive_%s', a.rollback_id)
LEFT JOIN pg_class AS c
    ON c.relnamespace = n.oid
    -- records of older code do not say under which name: that was the table's own
    AND c.relname = coalesce(to_jsonb(a) ->> 'kept_as', (parse_ident(a.relation))[2])
CROSS JOIN LATERAL (
    SELECT coalesce(sum(pg_total_relation_size(t.relid)), 0) AS bytes
    FROM pg_partition_tree(c.oid) AS t
    WHERE t.level > 0
) AS p
WHERE a.state <> 'dropped' AND r.phase IN ('done', 'aborted')
GROUP BY a.rollback_id, r.target, r.started
ORDER BY a.rollback_id;
