-- Rows of the archive that are not in their table yet: how many rows the archive has there, how many of them are in the
-- table now, how many were to be written, and in how many these and what was written differ. Hashes are compared as sets:
-- for a join, whose sizes it cannot know, the planner would choose a nested loop.
WITH chosen AS MATERIALIZED (
    SELECT a.{key} AS was, {values}
    FROM {aside} AS a
    WHERE a.{key} > %(place)s AND {within} AND NOT {there} AND {fitting} AND {kept}{few}
),

written AS (
    INSERT INTO {here} ({columns}) OVERRIDING SYSTEM VALUE
    SELECT {columns} FROM chosen
    {conflict}
    RETURNING {columns}
){followed}

SELECT
    {read} AS read,
    (SELECT count(*) FROM written) + {present} AS present,
    (SELECT count(*) FROM chosen) AS chosen,
    (SELECT count(*) FROM ({one} EXCEPT ALL {other}) AS d) AS differing
