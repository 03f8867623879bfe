DELETE FROM sidb.fingerprint_row WHERE moment = %(moment)s;
