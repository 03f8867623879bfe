-- Tables of others with a column user_id, which an erasure leaves to them.
SELECT format('%%I.%%I', n.nspname, c.relname) AS name
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped
WHERE
    c.relkind IN ('r', 'p', 'f', 'm')
    AND NOT c.relispartition
    AND n.nspname !~ '^(pg_|sidb_archive_[0-9]+$)'
    AND n.nspname NOT IN ('information_schema', 'analytics_partitions', 'sidb')
    AND NOT (n.nspname = 'analytics' AND c.relname = ANY(%(models)s))
ORDER BY 1;
