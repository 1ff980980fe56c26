-- store::Session::refresh_kpis; after the hours of this day
WITH gone AS (
    DELETE FROM callsink.failure_kpis_daily WHERE day = $1
)

INSERT INTO callsink.failure_kpis_daily
SELECT
    $1,
    account_sid,
    direction,
    call_type,
    country_code,
    carrier,
    call_state,
    last_sip_response_num,
    q850_cause,
    sum(calls)
FROM callsink.failure_kpis_hourly
WHERE hour >= $1 AND hour < $1 + interval '24 hours'
GROUP BY 2, 3, 4, 5, 6, 7, 8, 9
