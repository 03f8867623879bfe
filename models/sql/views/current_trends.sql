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
COMMENT ON COLUMN analytics.current_trends.trend_id IS 'Key of the entry';
COMMENT ON COLUMN analytics.current_trends.niche_id IS 'The niche it is about; NULL: about all niches';
COMMENT ON COLUMN analytics.current_trends.related_niche_id IS
'The other niche of a correlated pair; NULL: not about a pair';
COMMENT ON COLUMN analytics.current_trends.trend_type IS 'What was calculated: chart, correlation or another kind';
COMMENT ON COLUMN analytics.current_trends.trend_source IS 'What calculated it, for example niche_trends';
COMMENT ON COLUMN analytics.current_trends.parameters IS
'What it was calculated for, part of the key: for a chart {period, granularity}; at most 2,000 bytes';
COMMENT ON COLUMN analytics.current_trends.trend_data IS
'The result. chart: {points: [{at, demand, supply, opportunity, forecast, confidence}]}; correlation: {coefficient, relationship, lag_days}';
COMMENT ON COLUMN analytics.current_trends.valid_until IS 'When the entry expires; queries live 1 hour, charts 24';
COMMENT ON COLUMN analytics.current_trends.created_at IS 'When it was calculated';
