-- Phase 1's hot_niches_today where it is a materialized view, as its public code creates it.
CREATE MATERIALIZED VIEW public.hot_niches_today AS
SELECT * FROM public.features
WHERE updated_at > now() - interval '24 hours'
ORDER BY opportunity DESC
LIMIT 50;

CREATE INDEX hot_niches_today_opportunity_idx ON public.hot_niches_today (opportunity DESC);
