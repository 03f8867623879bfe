-- Bytes in these relations at their last VACUUM or ANALYZE; without a lock on any.
SELECT coalesce(sum(c.relpages::bigint), 0) * current_setting('block_size')::bigint
FROM unnest(%(relations)s::text []) AS wanted (name)
INNER JOIN pg_class AS c ON c.oid = to_regclass(wanted.name);
