-- store::Session::count_aged_archive_days; a partition of a day before $1 holds nothing else
SELECT
    count(*),
    min(received_time),
    max(received_time)
FROM callsink.archive
WHERE received_time < $1 AND tableoid <> 'callsink.archive_default'::regclass
