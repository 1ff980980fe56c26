-- store::Session::count_aged
SELECT
    count(*),
    min(received_time),
    max(received_time)
FROM callsink.archive_default
WHERE received_time < $1
