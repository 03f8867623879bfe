-- Some of the rows that break a CHECK.
SELECT concat_ws(', ', {key}) AS key
FROM {checked} AS c
WHERE ({expression}) IS FALSE
ORDER BY {key}
LIMIT 5;
