-- Records of erased users go from a chunk, whatever else is wrong with them. Each id is hashed once.
DELETE FROM pg_temp.backfill_records AS r
USING pg_temp.backfill_texts AS t
WHERE
    t.place = r.ctid
    AND t.user_id IN (
        SELECT u.user_id
        FROM (SELECT DISTINCT d.user_id FROM pg_temp.backfill_texts AS d WHERE d.user_id IS NOT NULL) AS u
        CROSS JOIN sidb.erasure_key AS k
        INNER JOIN sidb.erased_user AS e
            ON e.key_id = k.key_id
            AND e.user_hash = sha256(k.outer_pad || sha256(k.inner_pad || convert_to(u.user_id, 'UTF8')))
    )
