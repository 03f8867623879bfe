SELECT count(*) FROM analytics.stale_views AS s WHERE s.view_name = %(name)s;
