SELECT n.niche_id, f.last_analyzed_at
FROM sidb.erasure_niche AS n
INNER JOIN ONLY public.features AS f ON f.niche_id = n.niche_id
WHERE n.erasure_id = %(erasure_id)s
ORDER BY f.last_analyzed_at, n.niche_id;
