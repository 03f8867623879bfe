-- Phrases of the chunk for which there is no niche.
SELECT p.phrase
FROM pg_temp.backfill_niches AS p
WHERE p.niche_id IS NULL AND p.refused IS NULL
    AND EXISTS (SELECT FROM pg_temp.backfill_texts AS t WHERE t.niche_id IS NULL AND t.phrase = p.phrase)
ORDER BY p.phrase
