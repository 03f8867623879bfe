-- Rows of a table, and for each of its CHECKs those that break it; NULL is not false, and holds.
SELECT count(*) AS rows, ARRAY[{violations}] AS wrong
FROM {checked} AS c {sample};
