INSERT INTO sidb.erasure_place AS p (erasure_id, place, found, rows)
VALUES (%(erasure_id)s, %(place)s, %(found)s, %(rows)s)
ON CONFLICT (erasure_id, place) DO UPDATE SET rows = p.rows + excluded.rows;
