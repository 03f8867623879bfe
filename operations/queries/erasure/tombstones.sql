SELECT e.user_hash, k.secret
FROM sidb.erased_user AS e
INNER JOIN sidb.erasure_key AS k ON k.key_id = e.key_id
WHERE e.erasure_id = %(erasure_id)s
ORDER BY e.user_hash;
