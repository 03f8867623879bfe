-- Bytes of WAL that the server may keep: between checkpoints, and for replicas.
SELECT pg_size_bytes(current_setting('max_wal_size')) + pg_size_bytes(current_setting('wal_keep_size'));
