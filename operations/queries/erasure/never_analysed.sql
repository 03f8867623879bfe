-- Niches that are gone, or that nobody ever analysed: they hold nothing of anybody's.
DELETE FROM sidb.erasure_niche AS n
WHERE
    n.erasure_id = %(erasure_id)s
    AND NOT EXISTS (
        SELECT FROM ONLY public.features AS f WHERE f.niche_id = n.niche_id AND isfinite(f.last_analyzed_at)
    );
