-- How many relations belong to the partitions of each of these tables, and are locked with the whole: each with its
-- indexes, its TOAST table, and the index of that.
SELECT
    wanted.name,
    sum(
        CASE WHEN c.reltoastrelid = 0 THEN 1 ELSE 3 END
        + (SELECT count(*) FROM pg_index AS i WHERE i.indrelid = c.oid)
    )::integer AS relations
FROM unnest(CAST(:relations AS text [])) AS wanted (name)
CROSS JOIN LATERAL pg_partition_tree(to_regclass(wanted.name)) AS t
INNER JOIN pg_class AS c ON c.oid = t.relid
WHERE t.level > 0
GROUP BY wanted.name
