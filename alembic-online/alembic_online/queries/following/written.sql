-- Whether a value was written while the columns of a table were followed, into it or a partition of it; and whether
-- triggers see all that is written: of tables that inherit without being partitions, they see no rows.
SELECT
    EXISTS (
        SELECT FROM {bookkeeping}.written_value AS w
        WHERE
            w.relation = %(relation)s
            OR w.relation IN (SELECT t.relid FROM pg_partition_tree(%(relation)s::oid::regclass) AS t)
    ) AS is_written,
    NOT EXISTS (
        SELECT FROM pg_inherits AS i
        INNER JOIN pg_class AS c ON c.oid = i.inhrelid
        WHERE i.inhparent = %(relation)s AND NOT c.relispartition
    ) AS is_seen;
