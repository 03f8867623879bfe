-- What a database looks like years after revision 2.1.0: its first partition ends 27 months ago, and each month since then
-- has one of its own. An event a day and niche in each of the months from the 30th before this one on.
DO $$
DECLARE
    this timestamp := date_trunc('month', now() AT TIME ZONE 'UTC');
    month timestamp;
    owner text := (SELECT quote_ident(pg_get_userbyid(c.relowner)) FROM pg_class AS c WHERE c.oid = 'analytics.analytics_events'::regclass);
BEGIN
    ALTER TABLE analytics.analytics_events DETACH PARTITION analytics_partitions.analytics_events_first;
    EXECUTE format(
        'ALTER TABLE analytics.analytics_events ATTACH PARTITION analytics_partitions.analytics_events_first FOR VALUES FROM (MINVALUE) TO (%L)',
        (this - interval '27 months') AT TIME ZONE 'UTC'
    );
    FOR month IN SELECT generate_series(this - interval '27 months', this + interval '1 month', interval '1 month') LOOP
        EXECUTE format(
            'CREATE TABLE analytics_partitions.%I PARTITION OF analytics.analytics_events FOR VALUES FROM (%L) TO (%L)',
            to_char(month, '"analytics_events_"YYYY"_"MM'), month AT TIME ZONE 'UTC', (month + interval '1 month') AT TIME ZONE 'UTC'
        );
        EXECUTE format('ALTER TABLE analytics_partitions.%I OWNER TO %s', to_char(month, '"analytics_events_"YYYY"_"MM'), owner);
    END LOOP;
END
$$;

INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
SELECT 'view', 'test', (m.month + d.day * interval '1 day') AT TIME ZONE 'UTC', '{"a": "x, y\nz"}', 'user ' || n.niche, n.niche
FROM generate_series(
    date_trunc('month', now() AT TIME ZONE 'UTC') - interval '30 months', date_trunc('month', now() AT TIME ZONE 'UTC'), interval '1 month'
) AS m (month)
CROSS JOIN generate_series(0, 27) AS d (day)
CROSS JOIN generate_series(1, 3) AS n (niche);

INSERT INTO analytics.content_recommendations (
    niche_id, user_id, content_type, title, description, opportunity_score, model_version, created_at, valid_until
)
SELECT 1, 'user 1', 'video', 'title ' || n, 'why', 0.5, '1', t.at, t.at + interval '1 day'
FROM generate_series(0, 19) AS n
CROSS JOIN LATERAL (SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - n * interval '1 month') AT TIME ZONE 'UTC') AS t (at);

INSERT INTO analytics.insight_registry (insight_type, title, insight_data, model_version, created_at)
SELECT 'gap', 'title ' || n, '{}', '1', t.at
FROM generate_series(0, 19) AS n
CROSS JOIN LATERAL (SELECT (date_trunc('month', now() AT TIME ZONE 'UTC') - n * interval '1 month') AT TIME ZONE 'UTC') AS t (at);

INSERT INTO analytics.cross_platform_metrics (niche_id, platform, updated_at)
SELECT 1, 'youtube', (date_trunc('month', now() AT TIME ZONE 'UTC') - n * interval '1 month') AT TIME ZONE 'UTC'
FROM generate_series(0, 19) AS n;
INSERT INTO analytics.cross_platform_metrics (niche_id, platform, updated_at) VALUES (2, 'youtube', NULL);

ANALYZE analytics.analytics_events, analytics.content_recommendations, analytics.insight_registry, analytics.cross_platform_metrics;
