-- Niches of which events went are to be analysed anew. Goes on behind the statement's CTE gone.
, niches AS (
    INSERT INTO sidb.erasure_niche (erasure_id, niche_id)
    SELECT DISTINCT %(erasure_id)s::bigint, g.niche_id
    FROM gone AS g
    WHERE g.niche_id IS NOT NULL
    ON CONFLICT DO NOTHING
)
