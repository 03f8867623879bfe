-- Some of the rows that refer to nothing.
SELECT concat_ws(', ', {key}) AS key
FROM {child} AS c
LEFT JOIN {parent} AS p ON {joined}
WHERE {refers} AND p.{found} IS NULL
ORDER BY {key}
LIMIT 5;
