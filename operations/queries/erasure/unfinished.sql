-- Erasures that were begun and are not finished, the oldest first.
SELECT erasure_id, begun, live_gone, gone, finished
FROM sidb.erasure
WHERE finished IS NULL
ORDER BY erasure_id;
