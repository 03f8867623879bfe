CREATE SCHEMA {bookkeeping};
COMMENT ON SCHEMA {bookkeeping} IS 'Records of migrations; survives downgrades';
