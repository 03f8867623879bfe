-- How a Phase 1 program renews hot_niches_today where it is a table; it knows seven columns.
DELETE FROM public.hot_niches_today;

INSERT INTO public.hot_niches_today (
    niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at
)
SELECT niche_id, phrase, demand_score, monetise_score, supply_score, opportunity, updated_at
FROM public.features
WHERE updated_at > now() - interval '24 hours'
ORDER BY opportunity DESC
LIMIT 50;
