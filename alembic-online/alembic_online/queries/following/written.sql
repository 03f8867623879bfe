-- Whether a value was noted of a table, or of a partition of it, where its trigger fires; NULL: a table inherits from it,
-- where no trigger of it does.
SELECT
    EXISTS (
        SELECT FROM {bookkeeping}.written_value AS w
        WHERE
            w.relation = %(relation)s
            OR w.relation IN (SELECT t.relid FROM pg_partition_tree(%(relation)s::oid::regclass) AS t)
    )
    OR nullif(
        EXISTS (
            SELECT FROM pg_inherits AS i
            INNER JOIN pg_class AS c ON c.oid = i.inhrelid
            WHERE i.inhparent = %(relation)s AND NOT c.relispartition
        ),
        true
    ) AS is_written;
