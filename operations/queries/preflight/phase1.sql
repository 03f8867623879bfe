-- What hot_niches_today is, and how many rows features has by estimate (-1: never analysed); NULL where there is none.
-- stamped: whether there is an Alembic table that tells the revision.
SELECT
    (SELECT relkind::text FROM pg_class WHERE oid = to_regclass('public.hot_niches_today')) AS kind,
    (SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass('public.features')) AS rows,
    coalesce(has_table_privilege(to_regclass('public.alembic_version'), 'SELECT'), false) AS stamped;
