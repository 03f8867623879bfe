-- The next niches by their key: how many, and the last of them. PostgreSQL keeps these hashes the same over versions (hash
-- partitions rest on them), and no setting changes them.
WITH kept AS (
    INSERT INTO sidb.fingerprint_row (moment, niche_id, updated_at, hash)
    SELECT
        %(moment)s,
        f.niche_id,
        f.updated_at,
        hash_record_extended(
            row(f.niche_id, f.phrase, f.demand_score, f.monetise_score, f.supply_score, f.opportunity, f.updated_at), 0
        )
    FROM ONLY public.features AS f
    WHERE f.niche_id > %(lower)s
    ORDER BY f.niche_id
    LIMIT %(rows)s
    RETURNING niche_id
)

SELECT count(*), max(k.niche_id)
FROM kept AS k;
