-- store::Session::count_aged
SELECT
    count(*),
    min(received_time),
    max(received_time)
FROM callsink.events
WHERE received_time < $1
