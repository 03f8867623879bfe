-- The phrases of the chunk that were not met before, each with its niche where there is one.
INSERT INTO pg_temp.backfill_niches (phrase, niche_id)
SELECT met.phrase, f.niche_id
FROM (
    SELECT DISTINCT t.phrase
    FROM pg_temp.backfill_texts AS t
    WHERE t.niche_id IS NULL
        AND t.phrase IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_temp.backfill_niches AS p WHERE p.phrase = t.phrase)
) AS met
LEFT JOIN ONLY public.features AS f ON f.phrase = met.phrase
