-- The rows to which an index leads, in its order: as many, and the same hash of their keys, as indexed_rows finds in the table;
-- and how many come after a row that they should come before. Of a sample, too, every row is compared with the one before.
SELECT
    count(*) FILTER (WHERE abs(k.hash % 10000) < {of_10000}) AS rows,
    coalesce(sum(k.hash) FILTER (WHERE abs(k.hash % 10000) < {of_10000}), 0) AS hash,
    count(*) FILTER (WHERE k.is_misplaced) AS misplaced
FROM (
    SELECT
        hash_record_extended(row({names}), {seed}) AS hash,
        d.place > 1 AND CASE {misplaced} ELSE false END AS is_misplaced
    FROM (
        SELECT {named}, {before}, row_number() OVER by_index AS place
        FROM ONLY {indexed}
        WHERE {predicate}
        WINDOW by_index AS (ORDER BY {orders})
    ) AS d
) AS k;
