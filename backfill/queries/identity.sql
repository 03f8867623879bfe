-- What stands under the names of tables and columns now: the oid and, of a column, its attnum. A partitioned table is
-- any of its partitions that `known` names: a table that was attached as a partition is still the one that was filled.
-- Where it names none, it is the first one: that is what stays when it is made one table again.
-- A materialized view has none: each refresh makes its rows anew.
-- parameters: relations, columns (NULL: the whole table) and known (oids, NULL: none)
SELECT
    wanted.number - 1 AS number,
    coalesce(
        CASE
            WHEN wanted.known <> c.oid::bigint AND wanted.known IN (SELECT t.relid::bigint FROM pg_partition_tree(c.oid) AS t)
                THEN wanted.known
        END,
        (
            SELECT i.inhrelid::bigint
            FROM pg_inherits AS i
            INNER JOIN pg_class AS p ON p.oid = i.inhrelid AND p.relispartition
            WHERE i.inhparent = c.oid AND pg_get_expr(p.relpartbound, p.oid) LIKE 'FOR VALUES FROM (MINVALUE)%'
        ),
        c.oid::bigint
    ) AS oid,
    coalesce(a.attnum, 0)::bigint AS attnum
FROM
    unnest(
        CAST(:relations AS text []), CAST(:columns AS text []), CAST(:known AS bigint [])
    ) WITH ORDINALITY AS wanted (relation, part, known, number)
INNER JOIN pg_class AS c ON c.oid = to_regclass(wanted.relation) AND c.relkind <> 'm'
LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = wanted.part AND NOT a.attisdropped
WHERE wanted.part IS NULL OR a.attnum IS NOT NULL
ORDER BY wanted.number;
