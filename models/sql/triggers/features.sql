-- Only what trending_niches shows counts: the API's change of the three scores marks nothing.
CREATE OR REPLACE TRIGGER features_mark_trending_niches
AFTER INSERT OR DELETE OR TRUNCATE OR UPDATE OF phrase, opportunity, trend_vector, last_analyzed_at ON public.features
FOR EACH STATEMENT EXECUTE FUNCTION analytics.mark_view_stale('trending_niches');

COMMENT ON TRIGGER features_mark_trending_niches ON public.features IS
'Marks analytics.trending_niches as stale';
