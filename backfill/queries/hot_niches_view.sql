-- Of hot_niches_today, where it is a materialized view: whether it can be refreshed while others read it.
SELECT
    c.relispopulated AND EXISTS (
        SELECT FROM pg_index AS i
        WHERE
            i.indrelid = c.oid
            AND i.indisunique
            AND i.indisvalid
            AND i.indimmediate
            AND i.indpred IS NULL
            AND i.indexprs IS NULL
    ) AS is_concurrent
FROM pg_class AS c
WHERE c.oid = to_regclass('public.hot_niches_today') AND c.relkind = 'm'
