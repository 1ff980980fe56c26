-- store::Session::count_aged
SELECT
    count(*),
    min(last_received_time),
    max(last_received_time)
FROM callsink.dead_letters
WHERE last_received_time < $1
