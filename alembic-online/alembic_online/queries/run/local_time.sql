-- The day of the week (1 is Monday) and the minute of the day, now, in a time zone.
SELECT extract(isodow FROM t.here)::integer, (extract(hour FROM t.here) * 60 + extract(minute FROM t.here))::integer
FROM (SELECT now() AT TIME ZONE %(zone)s AS here) AS t;
