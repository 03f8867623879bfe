-- When the server was started, in seconds since 1970.
SELECT extract(epoch FROM pg_postmaster_start_time())::bigint;
