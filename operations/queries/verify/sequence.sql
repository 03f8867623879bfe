-- The greatest value of a column beside the last one that its sequence gave; is_called: whether it has given that one.
SELECT (SELECT max(c.{column}) FROM {counted} AS c) AS greatest, s.last_value AS last, s.is_called
FROM {sequence} AS s;
