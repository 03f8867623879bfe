-- Some of the rows with NULL where none may be.
SELECT concat_ws(', ', {key}) AS key
FROM {checked} AS c
WHERE num_nulls(c.{column}) > 0
ORDER BY {key}
LIMIT 5;
