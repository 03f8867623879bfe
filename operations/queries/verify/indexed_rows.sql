-- The rows that an index is to hold: how many, and a hash of their keys.
SELECT count(*) AS rows, coalesce(sum(k.hash), 0) AS hash
FROM (
    SELECT hash_record_extended(row({keys}), {seed}) AS hash
    FROM ONLY {indexed}
    WHERE {predicate}
) AS k
WHERE abs(k.hash % 10000) < {of_10000};
