CREATE OR REPLACE TRIGGER hot_niches_today_fill_trend
BEFORE INSERT OR UPDATE ON public.hot_niches_today
FOR EACH ROW EXECUTE FUNCTION analytics.fill_hot_niche_trend();

COMMENT ON TRIGGER hot_niches_today_fill_trend ON public.hot_niches_today IS
'Fills the trend columns for writers that do not know them';
