-- A view's column that has no comment in the view's own file gets the comment of the table's column that it shows.
DO $$
DECLARE
    shown record;
BEGIN
    FOR shown IN
        SELECT of_view.attrelid::regclass AS view_name, of_view.attname, col_description(shows.table_name, of_table.attnum) AS meaning
        FROM (VALUES
            ('analytics.current_trends'::regclass, 'analytics.trend_cache'::regclass),
            ('analytics.active_recommendations', 'analytics.content_recommendations'),
            ('analytics.published_insights', 'analytics.insight_registry'),
            ('analytics.platform_comparison', 'analytics.cross_platform_metrics')
        ) AS shows (view_name, table_name)
        INNER JOIN pg_attribute AS of_view ON of_view.attrelid = shows.view_name
        INNER JOIN pg_attribute AS of_table ON of_table.attrelid = shows.table_name AND of_table.attname = of_view.attname
        WHERE of_view.attnum > 0 AND col_description(shows.view_name, of_view.attnum) IS NULL
    LOOP
        EXECUTE format('COMMENT ON COLUMN %s.%I IS %L', shown.view_name, shown.attname, shown.meaning);
    END LOOP;
END
$$;
