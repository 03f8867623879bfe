INSERT INTO sidb.expiry (relation, aside, kept_from, directory, rows)
VALUES (%(relation)s, %(aside)s, %(kept_from)s, %(directory)s, %(rows)s)
RETURNING expiry_id;
