-- Whether a table, or a partition of it, has a unique key or an exclusion constraint that is deferrable: beside one,
-- INSERT ... ON CONFLICT DO NOTHING is an error.
SELECT EXISTS (
    SELECT FROM pg_index AS i
    WHERE
        NOT i.indimmediate
        AND (
            i.indrelid = to_regclass(%(relation)s)
            OR i.indrelid IN (SELECT t.relid FROM pg_partition_tree(to_regclass(%(relation)s)) AS t)
        )
);
