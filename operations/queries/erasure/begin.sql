INSERT INTO sidb.erasure (client) VALUES (%(client)s)
RETURNING erasure_id, begun, live_gone, gone, finished;
