-- What a materialized view holds beside what its query gives now, of the niches in the sample; some that differ.
WITH stored AS MATERIALIZED (
    SELECT v.*
    FROM {view} AS v
    WHERE abs(hashint8extended(v.niche_id, {seed}) % 10000) < {of_10000}
),

anew AS MATERIALIZED (
    SELECT q.*
    FROM ({definition}) AS q
    WHERE abs(hashint8extended(q.niche_id, {seed}) % 10000) < {of_10000}
),

wrong AS MATERIALIZED (
    SELECT s.niche_id FROM (SELECT * FROM stored EXCEPT ALL SELECT * FROM anew) AS s
    UNION
    SELECT a.niche_id FROM (SELECT * FROM anew EXCEPT ALL SELECT * FROM stored) AS a
)

SELECT
    (SELECT count(*) FROM anew) AS rows,
    (SELECT count(*) FROM wrong) AS wrong,
    ARRAY(SELECT w.niche_id FROM wrong AS w ORDER BY w.niche_id LIMIT 5) AS examples;
