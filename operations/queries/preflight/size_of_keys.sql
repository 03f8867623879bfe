-- The bytes of the indexes of these tables' primary keys, as PostgreSQL estimates them; no lock is taken.
SELECT coalesce(sum(x.relpages::bigint * current_setting('block_size')::bigint), 0)::bigint
FROM unnest(%(relations)s::text []) AS named
INNER JOIN pg_index AS i ON i.indrelid = to_regclass(named) AND i.indisprimary
INNER JOIN pg_class AS x ON x.oid = i.indexrelid;
