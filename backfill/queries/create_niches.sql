-- In order, so that two loaders cannot deadlock. Without scores, Phase 1's next nightly scoring would put these niches on
-- top of hot_niches_today, where NULL comes before everything.
INSERT INTO public.features (phrase, demand_score, monetise_score, supply_score, opportunity)
SELECT given.phrase, 0, 0, 0, 0
FROM unnest(CAST(:phrases AS text[])) AS given (phrase)
WHERE NOT EXISTS (SELECT FROM ONLY public.features AS f WHERE f.phrase = given.phrase)
ORDER BY given.phrase
ON CONFLICT (phrase) DO NOTHING
