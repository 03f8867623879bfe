-- The users that are erased, for this session alone: no statement names an id, which the server might log.
CREATE TEMPORARY TABLE IF NOT EXISTS erasing_user (user_id text PRIMARY KEY, in_json text, pattern text);
TRUNCATE pg_temp.erasing_user;
