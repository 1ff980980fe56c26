-- store::Session::settled_windows
SELECT window_start
FROM callsink.backfill_windows
WHERE
    account_sid = $1
    AND window_start >= $2
    AND window_start < $3
    AND state = 'done'
    AND refused = 0
    AND window_end = window_start + interval '1 hour'
    AND observed_time >= window_end + make_interval(secs => $4)
