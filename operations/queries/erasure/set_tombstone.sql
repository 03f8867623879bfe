-- Who was erased before, and came back by the application, is erased again.
INSERT INTO sidb.erased_user AS e (user_hash, key_id, erasure_id)
VALUES (%(user_hash)s, %(key_id)s, %(erasure_id)s)
ON CONFLICT (user_hash, key_id) DO UPDATE SET erasure_id = excluded.erasure_id, erased_at = excluded.erased_at;
