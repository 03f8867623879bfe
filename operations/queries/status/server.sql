-- Found by name: who may not use a schema may not look into it by to_regclass.
SELECT
    current_database()::text AS database,
    now() AS at,
    pg_is_in_recovery() AS standby,
    EXISTS (
        SELECT FROM pg_class AS c
        INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = 'public' AND c.relname = 'features'
    ) AS phase1;
