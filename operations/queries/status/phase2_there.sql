-- Whether tables of Phase 2 are there, and Alembic's own, or where else it is: a schema of the role's name comes first on
-- the default search path. Found by name, as who may not use a schema may not look into it by to_regclass.
SELECT
    coalesce(bool_or(n.nspname = 'analytics'), false) AS phase2,
    coalesce(bool_or(n.nspname = 'public' AND c.relname = 'alembic_version'), false) AS version_table,
    max(format('%I.%I', n.nspname, c.relname)) FILTER (
        WHERE c.relname = 'alembic_version' AND n.nspname <> 'public'
    ) AS elsewhere
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    (n.nspname = 'analytics' AND c.relname IN ('analytics_events', 'trend_cache'))
    OR (n.nspname IN ('public', current_user, session_user) AND c.relname = 'alembic_version' AND c.relkind = 'r');
