-- For each table, the sample to compare with: the oldest of the last week that is at least half a day old.
SELECT DISTINCT ON (s.relation)
    s.relation,
    s.rows,
    s.bytes,
    extract(epoch FROM now() - s.sampled_at)::float / 86400 AS days
FROM sidb.size_sample AS s
WHERE s.sampled_at BETWEEN now() - interval '7 days 12 hours' AND now() - interval '12 hours'
ORDER BY s.relation, s.sampled_at;
