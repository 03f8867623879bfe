-- Keys that more than one row of a table has, though a unique index says that none is there twice.
WITH doubled AS MATERIALIZED (
    SELECT {named}, count(*) AS rows
    FROM ONLY {indexed}
    WHERE {predicate} AND {known} AND abs(hash_record_extended(row({keys}), {seed}) % 10000) < {of_10000}
    GROUP BY {places}
    HAVING count(*) > 1
)

SELECT
    (SELECT count(*) FROM doubled) AS wrong,
    ARRAY(SELECT concat_ws(', ', {names}) FROM doubled AS d ORDER BY {names} LIMIT 5) AS examples;
