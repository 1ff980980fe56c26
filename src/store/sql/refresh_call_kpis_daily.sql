-- store::Session::refresh_kpis; after the hours of this day
WITH gone AS (
    DELETE FROM callsink.call_kpis_daily WHERE day = $1
)

INSERT INTO callsink.call_kpis_daily
SELECT
    $1,
    account_sid,
    direction,
    call_type,
    country_code,
    carrier,
    sum(calls),
    sum(attempts),
    sum(answered),
    sum(delivered),
    sum(busy),
    sum(no_answer),
    sum(canceled),
    sum(failed),
    sum(connect_seconds),
    sum(long_calls),
    sum(short_candidates),
    sum(short_calls),
    sum(connect_histogram),
    sum(pdd_histogram),
    sum(queue_histogram),
    sum(tagged),
    sum(silence),
    sum(high_jitter),
    sum(high_packet_loss),
    sum(high_pdd),
    sum(high_latency),
    sum(low_mos),
    sum(ice_failure),
    sum(pstn_short_duration),
    sum(hung_up_by_caller),
    sum(hung_up_by_callee),
    sum(verified_attempts),
    sum(verified_answered),
    sum(answered_by_human),
    sum(answered_by_machine),
    sum(still_partial),
    sum(predicted_complete),
    sum(complete),
    sum(complete_lag_histogram)
FROM callsink.call_kpis_hourly
WHERE hour >= $1 AND hour < $1 + interval '24 hours'
GROUP BY 2, 3, 4, 5, 6
