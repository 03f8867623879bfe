-- What a report reads before somebody forgets to end its transaction.
SELECT count(*) FROM (SELECT FROM features LIMIT 1000) AS seen;
