CREATE OR REPLACE VIEW analytics.current_trends AS
SELECT
    t.trend_id,
    t.niche_id,
    t.related_niche_id,
    t.trend_type,
    t.trend_source,
    t.parameters,
    t.trend_data,
    t.valid_until,
    t.created_at
FROM analytics.trend_cache AS t
WHERE t.valid_until > now();

COMMENT ON VIEW analytics.current_trends IS 'The entries of trend_cache that have not expired; columns as there';
