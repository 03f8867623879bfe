-- The rows of hot_niches_today beside features, whatever it is. A niche that features has changed since, or lost, waits
-- for the next refresh. Phase 1 alone: the trend columns are asked for by hot_niche_trends. Phase 1's own query reads what
-- others have inherit from features, too: a niche may be there as often as all of these have it, as one of them has it.
WITH hot AS MATERIALIZED (
    SELECT
        h.niche_id,
        h.opportunity,
        h.updated_at,
        count(*) OVER (PARTITION BY h.niche_id) AS times,
        f.niche_id IS NULL AS gone,
        f.updated_at IS DISTINCT FROM h.updated_at AS since,
        NOT EXISTS (
            SELECT FROM public.features AS a
            WHERE
                a.niche_id = h.niche_id
                AND (h.phrase, h.demand_score, h.monetise_score, h.supply_score, h.opportunity)
                IS NOT DISTINCT FROM (a.phrase, a.demand_score, a.monetise_score, a.supply_score, a.opportunity)
        ) AS differs,
        (SELECT count(*) FROM public.features AS a WHERE a.niche_id = h.niche_id) AS all_times
    FROM public.hot_niches_today AS h
    LEFT JOIN ONLY public.features AS f ON f.niche_id = h.niche_id
),

-- Whatever the moment of the refresh was, the newest hot niche was there, and the oldest not a day old.
bounds AS (
    SELECT min(h.updated_at) AS oldest, max(h.updated_at) AS newest, min(h.opportunity) AS least, count(*) AS rows
    FROM hot AS h
),

left_out AS MATERIALIZED (
    SELECT f.niche_id
    FROM ONLY public.features AS f
    CROSS JOIN bounds AS b
    WHERE
        f.updated_at BETWEEN b.oldest AND b.newest
        AND (b.rows < 50 OR f.opportunity > b.least)
        AND NOT EXISTS (SELECT FROM hot AS h WHERE h.niche_id = f.niche_id)
)

SELECT
    (SELECT b.rows FROM bounds AS b) AS rows,
    (SELECT count(*) FROM hot AS h WHERE h.since) AS since,
    (SELECT count(*) FROM left_out) AS left_out,
    (SELECT count(*) FROM ONLY public.features AS f WHERE f.updated_at > now() - interval '24 hours') AS recent,
    ARRAY(
        SELECT format(CASE WHEN h.times > greatest(h.all_times, 1) THEN 'niche %%s is there %%s times' ELSE 'niche %%s differs from features' END, h.niche_id, h.times)
        FROM hot AS h
        WHERE h.times > greatest(h.all_times, 1) OR (h.differs AND NOT h.since AND NOT h.gone)
        GROUP BY h.niche_id, h.times, h.all_times
        ORDER BY h.niche_id
    ) AS wrong;
