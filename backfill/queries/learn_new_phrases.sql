-- The niches that were made since.
UPDATE pg_temp.backfill_niches AS p
SET niche_id = f.niche_id
FROM ONLY public.features AS f
WHERE p.niche_id IS NULL AND f.phrase = p.phrase
