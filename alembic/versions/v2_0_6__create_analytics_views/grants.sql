-- analytics_reader reads; analytics_writer reads and writes; PUBLIC gets nothing. Grants to a missing role are left out.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT roles.rolname, rights.privileges, rights.object
        FROM (VALUES
            ('analytics_reader', 'SELECT', 'TABLE analytics.niche_daily_activity'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.current_trends'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.active_recommendations'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.published_insights'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.trending_niches'),
            ('analytics_reader', 'SELECT', 'TABLE analytics.platform_comparison'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.niche_daily_activity'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.current_trends'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.active_recommendations'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.published_insights'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.trending_niches'),
            ('analytics_writer', 'SELECT', 'TABLE analytics.platform_comparison'),
            ('analytics_writer', 'EXECUTE', 'FUNCTION analytics.drain_niche_daily_activity()'),
            ('analytics_writer', 'EXECUTE', 'FUNCTION analytics.refresh_stale_views()')
        ) AS rights (role_name, privileges, object)
        INNER JOIN pg_roles AS roles ON roles.rolname = rights.role_name
    LOOP
        EXECUTE format('GRANT %s ON %s TO %I', wanted.privileges, wanted.object, wanted.rolname);
    END LOOP;
END
$$;
