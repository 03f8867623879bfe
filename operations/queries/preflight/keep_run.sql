INSERT INTO sidb.preflight_run (action, client, findings) VALUES (%(action)s, %(client)s, %(findings)s);
