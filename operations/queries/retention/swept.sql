-- Whether all rows of a table before this day were deleted.
SELECT EXISTS (
    SELECT FROM sidb.expiry AS e
    WHERE e.relation = %(relation)s AND e.aside IS NULL AND e.kept_from >= %(kept_from)s AND e.finished_at IS NOT NULL
);
