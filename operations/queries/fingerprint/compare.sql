-- Phase 1's rows beside those of the moment; keys of at most ten of each kind that must not be. Through to_jsonb: where an
-- older version took it, there is no such column.
WITH taken_at AS MATERIALIZED (
    SELECT t.taken_at, (to_jsonb(t) ->> 'oldest_open')::timestamptz AS oldest_open
    FROM sidb.fingerprint AS t
    WHERE t.moment = %(moment)s
),

compared AS (
    SELECT
        coalesce(taken.niche_id, f.niche_id) AS niche_id,
        CASE
            WHEN f.updated_at < (SELECT t.oldest_open FROM taken_at AS t) AND f.updated_at IS DISTINCT FROM taken.updated_at
                THEN 'older'
            WHEN taken.niche_id IS NULL THEN 'new'
            WHEN f.niche_id IS NULL THEN 'vanished'
            WHEN f.updated_at IS DISTINCT FROM taken.updated_at THEN 'touched'
            WHEN taken.hash = hash_record_extended(
                row(f.niche_id, f.phrase, f.demand_score, f.monetise_score, f.supply_score, f.opportunity, f.updated_at),
                0
            ) THEN 'unchanged'
            ELSE 'altered'
        END AS verdict
    FROM (SELECT r.niche_id, r.updated_at, r.hash FROM sidb.fingerprint_row AS r WHERE r.moment = %(moment)s) AS taken
    FULL JOIN ONLY public.features AS f ON f.niche_id = taken.niche_id
),

counted AS (
    SELECT
        count(*) FILTER (WHERE c.verdict = 'unchanged') AS unchanged,
        count(*) FILTER (WHERE c.verdict = 'touched') AS touched,
        count(*) FILTER (WHERE c.verdict = 'altered') AS altered,
        count(*) FILTER (WHERE c.verdict = 'vanished') AS vanished,
        count(*) FILTER (WHERE c.verdict = 'new') AS new,
        count(*) FILTER (WHERE c.verdict = 'older') AS older,
        array_agg(c.niche_id ORDER BY c.niche_id) FILTER (WHERE c.verdict = 'older') AS older_keys,
        array_agg(c.niche_id ORDER BY c.niche_id) FILTER (WHERE c.verdict = 'altered') AS altered_keys,
        array_agg(c.niche_id ORDER BY c.niche_id) FILTER (WHERE c.verdict = 'vanished') AS vanished_keys
    FROM compared AS c
)

SELECT
    t.taken_at,
    t.oldest_open,
    counted.unchanged,
    counted.touched,
    counted.altered,
    counted.vanished,
    counted.new,
    counted.older,
    coalesce(counted.older_keys[:10], '{}') AS older_keys,
    coalesce(counted.altered_keys[:10], '{}') AS altered_keys,
    coalesce(counted.vanished_keys[:10], '{}') AS vanished_keys
FROM taken_at AS t
CROSS JOIN counted;
