-- PostgreSQL keeps these hashes the same over versions (hash partitions rest on them), and no setting changes them.
INSERT INTO sidb.fingerprint_row (moment, niche_id, updated_at, hash)
SELECT
    %(moment)s,
    f.niche_id,
    f.updated_at,
    hash_record_extended(
        row(f.niche_id, f.phrase, f.demand_score, f.monetise_score, f.supply_score, f.opportunity, f.updated_at), 0
    )
FROM ONLY public.features AS f;
