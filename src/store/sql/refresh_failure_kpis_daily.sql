-- store::Session::refresh_kpis; after the hours of these days
WITH gone AS (
    DELETE FROM callsink.failure_kpis_daily WHERE day = ANY($1)
)

INSERT INTO callsink.failure_kpis_daily
SELECT
    date_trunc('day', hour, 'UTC'),
    account_sid,
    direction,
    call_type,
    country_code,
    carrier,
    call_state,
    last_sip_response_num,
    q850_cause,
    sum(calls)
FROM unnest($1::timestamptz[]) AS dirty (day)
INNER JOIN callsink.failure_kpis_hourly AS part
    ON part.hour >= dirty.day AND part.hour < dirty.day + interval '24 hours'
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
