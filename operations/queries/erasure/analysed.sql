DELETE FROM sidb.erasure_niche AS n
WHERE n.erasure_id = %(erasure_id)s AND n.niche_id = ANY(%(niches)s::bigint []);
