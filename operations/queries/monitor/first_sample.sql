-- When sizes were first looked at: the next best start of the forecast, where the ledger does not say.
SELECT min(s.sampled_at) AS first_sample
FROM sidb.size_sample AS s;
