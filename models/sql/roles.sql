-- Group roles without login, shared by the whole server, hence never dropped. Where the migrating role may not create
-- them, an administrator can, and run the grants again.
DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['analytics_reader', 'analytics_writer'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = role_name);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
        EXCEPTION
            WHEN insufficient_privilege THEN
                RAISE NOTICE 'role % is missing and % may not create it: grants to it are left out', role_name, current_user;
            WHEN duplicate_object OR unique_violation THEN
                NULL; -- another migration of this server was faster
        END;
    END LOOP;
END
$$;
