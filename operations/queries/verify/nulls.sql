-- Rows of a table, and for each of its columns those with NULL in it. num_nulls: the planner takes the column's word for
-- IS NULL.
SELECT count(*) AS rows, ARRAY[{nulls}] AS wrong
FROM {checked} AS c {sample};
