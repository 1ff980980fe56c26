-- store::Session::archive_partitions
SELECT
    CASE WHEN part.relname ~ '^archive_[0-9]{8}$' THEN to_date(right(part.relname, 8), 'YYYYMMDD') END AS day,
    pg_relation_size(part.oid) / current_setting('block_size')::bigint AS blocks
FROM pg_inherits
INNER JOIN pg_class AS part ON part.oid = inhrelid
WHERE inhparent = 'callsink.archive'::regclass
ORDER BY day NULLS LAST
