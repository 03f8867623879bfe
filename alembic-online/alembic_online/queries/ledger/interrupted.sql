-- Whoever ran these is gone: only one migrator runs at a time.
UPDATE {bookkeeping}.step SET outcome = 'interrupted', finished = clock_timestamp() WHERE outcome = 'running';
