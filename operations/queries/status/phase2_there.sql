-- Whether tables of Phase 2 are there, and Alembic's own; found by name, as who may not use a schema may not look into
-- it by to_regclass.
SELECT
    coalesce(bool_or(n.nspname = 'analytics'), false) AS phase2,
    coalesce(bool_or(n.nspname = 'public'), false) AS version_table
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    (n.nspname = 'analytics' AND c.relname IN ('analytics_events', 'trend_cache'))
    OR (n.nspname = 'public' AND c.relname = 'alembic_version');
