-- Each moment stays as it was reached first.
UPDATE sidb.erasure SET
    live_gone = coalesce(live_gone, CASE WHEN %(moment)s IN ('live_gone', 'gone', 'finished') THEN clock_timestamp() END),
    gone = coalesce(gone, CASE WHEN %(moment)s IN ('gone', 'finished') THEN clock_timestamp() END),
    finished = coalesce(finished, CASE WHEN %(moment)s = 'finished' THEN clock_timestamp() END)
WHERE erasure_id = %(erasure_id)s;
