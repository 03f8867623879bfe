-- Rows of a table, and those of them that refer to nothing. NULL refers to nothing and need not.
SELECT count(*) AS rows, count(*) FILTER (WHERE {refers} AND p.{found} IS NULL) AS wrong
FROM {child} AS c {sample}
LEFT JOIN {parent} AS p ON {joined};
