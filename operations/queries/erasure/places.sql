-- Tables of ours that hold ids of users, those that applications use first. Partitions and children of one of them are
-- reached through it; a partition that was detached is a table of its own.
WITH ours AS (
    SELECT
        c.oid,
        n.nspname,
        c.relname,
        c.relkind,
        c.relispartition,
        c.relowner,
        CASE
            WHEN n.nspname = 'analytics' THEN 1
            WHEN n.nspname = 'analytics_partitions' THEN 2
            WHEN n.nspname ~ '^sidb_archive_[0-9]+$' THEN 3
            ELSE 4
        END AS rank
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attname = 'user_id' AND NOT a.attisdropped
    WHERE
        c.relkind IN ('r', 'p')
        AND (
            (n.nspname = 'analytics' AND c.relname = ANY(%(models)s))
            OR n.nspname IN ('analytics_partitions', 'sidb')
            OR n.nspname ~ '^sidb_archive_[0-9]+$'
        )
)

SELECT
    format('%%I.%%I', o.nspname, o.relname) AS name,
    o.nspname::text AS schema,
    o.relname::text AS relation,
    o.rank = 1 AS is_live,
    EXISTS (
        SELECT FROM pg_index AS i
        INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
        WHERE i.indrelid = o.oid AND i.indisvalid AND a.attname = 'user_id'
    ) AS is_indexed,
    coalesce((
        SELECT array_agg(a.attname::text ORDER BY array_position(i.indkey::smallint [], a.attnum))
        FROM pg_index AS i
        INNER JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey)
        WHERE i.indrelid = o.oid AND i.indisprimary
    ), '{}') AS keys,
    (
        SELECT array_agg(a.attname::text ORDER BY a.attnum)
        FROM pg_attribute AS a
        WHERE a.attrelid = o.oid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS columns
FROM ours AS o
WHERE
    NOT EXISTS (
        SELECT FROM pg_inherits AS i
        INNER JOIN ours AS parent ON parent.oid = i.inhparent
        WHERE i.inhrelid = o.oid AND NOT i.inhdetachpending
    )
    AND (
        NOT o.relispartition
        OR EXISTS (SELECT FROM pg_inherits AS i WHERE i.inhrelid = o.oid AND i.inhdetachpending)
    )
ORDER BY o.rank, o.relname = 'analytics_events' DESC, o.nspname, o.relname;
