-- The niches by rank, whatever their keys are: what is generated picks them by rank, the first most often. Only those
-- that a key may refer to.
CREATE TEMPORARY TABLE ranked_niches ON COMMIT DROP AS
SELECT row_number() OVER (ORDER BY niche_id) AS rank, niche_id FROM ONLY public.features;

CREATE UNIQUE INDEX ON ranked_niches (rank);

ANALYZE ranked_niches;
