-- Both group roles read the horizon: who writes history asks for it. Grants to a missing role are left out.
DO $$
DECLARE
    role_name text;
BEGIN
    FOR role_name IN SELECT r.rolname FROM pg_roles AS r WHERE r.rolname IN ('analytics_reader', 'analytics_writer') LOOP
        EXECUTE format('GRANT SELECT ON TABLE analytics.retention TO %I', role_name);
    END LOOP;
END
$$;
