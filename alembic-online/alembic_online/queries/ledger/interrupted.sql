-- Whoever ran these is gone: only one migrator runs at a time.
UPDATE sidb.step SET outcome = 'interrupted', finished = clock_timestamp() WHERE outcome = 'running';
