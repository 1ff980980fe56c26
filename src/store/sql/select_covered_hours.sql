-- store::Session::covered_hours
SELECT hour
FROM callsink.coverage_hours
WHERE
    account_sid = $1
    AND hour >= $2
    AND hour < $3
    AND missing = 0
    AND still_partial = 0
    AND checked_time >= hour + interval '1 hour' + make_interval(secs => $4)
