-- store::Session::drop_archive_partition
SELECT
    day,
    events
FROM callsink.drop_archive_partition($1)
