-- Whether a table has one of the columns again because of which rows of it were left.
SELECT EXISTS (
    SELECT FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass(%(relation)s) AND a.attname = ANY(%(columns)s) AND NOT a.attisdropped
);
