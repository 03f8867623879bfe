SELECT erasure_id, begun, live_gone, gone, finished
FROM sidb.erasure
WHERE erasure_id = %(erasure_id)s;
