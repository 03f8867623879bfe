SELECT key_id, secret FROM sidb.erasure_key ORDER BY key_id;
