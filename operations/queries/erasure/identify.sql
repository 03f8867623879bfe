-- Ids of one table whose keyed hashes are tombstones, of one erasure or (NULL) of whichever; each id is hashed once.
-- The braces are the table.
SELECT u.user_id
FROM (SELECT DISTINCT t.user_id FROM {table} AS t WHERE t.user_id IS NOT NULL) AS u
CROSS JOIN sidb.erasure_key AS k
INNER JOIN sidb.erased_user AS e
    ON e.key_id = k.key_id
    AND e.user_hash = sha256(k.outer_pad || sha256(k.inner_pad || convert_to(u.user_id, 'UTF8')))
WHERE e.erasure_id = %(erasure_id)s OR %(erasure_id)s::bigint IS NULL;
