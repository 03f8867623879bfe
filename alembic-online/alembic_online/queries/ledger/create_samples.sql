-- What was seen while each attempt ran, for plots.
ALTER TABLE {bookkeeping}.step ADD COLUMN samples jsonb, ADD COLUMN alerts text [];

COMMENT ON COLUMN {bookkeeping}.step.samples IS
'By measure, the highest value in each of at most 120 equal stretches of the attempt; "at": seconds since its start';
COMMENT ON COLUMN {bookkeeping}.step.alerts IS 'Alerts raised during the attempt';
