-- The tables of ours whose texts and payloads are searched for ids, with the columns that hold such, and their key.
SELECT
    format('%%I.%%I', n.nspname, c.relname) AS name,
    n.nspname::text AS schema,
    c.relname::text AS relation,
    (
        SELECT array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE
            a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'user_id'
            AND a.atttypid = ANY('{text,varchar,json,jsonb,text[],varchar[]}'::regtype [])
    ) AS columns,
    coalesce((
        SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::smallint [], a.attnum))
        FROM pg_index AS i
        INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
        WHERE i.indrelid = c.oid AND i.indisprimary
    ), '{}') AS keys,
    (pg_relation_size(c.oid) / current_setting('block_size')::bigint)::bigint AS pages
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    c.relkind = 'r'
    AND (
        (n.nspname = 'analytics' AND c.relname = ANY(%(models)s))
        OR n.nspname IN ('analytics_partitions', 'sidb')
        OR n.nspname ~ '^sidb_archive_[0-9]+$'
    )
    AND has_table_privilege(c.oid, 'SELECT')
    AND EXISTS (
        SELECT FROM pg_attribute AS a
        WHERE
            a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'user_id'
            AND a.atttypid = ANY('{text,varchar,json,jsonb,text[],varchar[]}'::regtype [])
    )
ORDER BY n.nspname, c.relname;
