-- Rows whose time is over go before the file is staged.
DELETE FROM pg_temp.backfill_incoming AS i WHERE i.event_timestamp < :horizon
