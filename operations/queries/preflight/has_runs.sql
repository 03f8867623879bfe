-- Whether a preparation is recorded here, which a --finish then ends.
SELECT to_regclass('sidb.preflight_run') IS NOT NULL;
