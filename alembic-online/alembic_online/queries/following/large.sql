-- Whether a table with its partitions is too large to be read while everybody waits for it. One from which others
-- inherit cannot be followed: to read it again beforehand would not help.
SELECT
    (
        SELECT sum(pg_relation_size(k.relid))
        FROM (
            SELECT %(relation)s::oid AS relid
            UNION
            SELECT p.relid FROM pg_partition_tree(%(relation)s::oid::regclass) AS p
        ) AS k
    ) > %(bytes)s
    AND NOT EXISTS (
        SELECT FROM pg_inherits AS i
        INNER JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = %(relation)s AND NOT c.relispartition
    ) AS is_large;
