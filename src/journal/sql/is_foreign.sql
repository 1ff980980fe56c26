-- journal::open. Whether there are tables, and not that of ours.
SELECT count(*) > 0 AND (
    SELECT count(*) FROM pragma_table_info('entries') WHERE name IN ('position', 'received', 'body')
) < 3
FROM sqlite_schema WHERE type = 'table'
