-- Some rows of a table to which an index on these keys does not lead; NULL leads nowhere. IS TRUE: a partial index is not
-- to be seen where the table itself is read.
WITH held AS MATERIALIZED (
    SELECT ctid AS place, concat_ws(', ', {key}) AS key, {named}
    FROM ONLY {indexed}
    WHERE ({predicate}) IS TRUE
)

SELECT d.key
FROM held AS d
WHERE
    num_nulls({names}) = 0
    AND NOT EXISTS (SELECT FROM ONLY {indexed} AS t WHERE {predicate} AND {equal} AND t.ctid = d.place)
ORDER BY d.key
LIMIT 5;
