SELECT step_id, revision, direction, validated, before FROM {bookkeeping}.step WHERE outcome = 'applied' ORDER BY step_id DESC LIMIT 1;
