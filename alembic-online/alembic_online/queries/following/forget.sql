-- What an earlier attempt noted of a table, and of its partitions.
DELETE FROM {bookkeeping}.written_value AS w
WHERE
    w.relation = %(relation)s
    OR w.relation IN (SELECT t.relid FROM pg_partition_tree(%(relation)s::oid::regclass) AS t);
