-- store::Session::refresh_kpis; what each column means is said at public.kpi_failures_hourly
WITH gone AS (
    DELETE FROM callsink.failure_kpis_hourly WHERE hour = ANY($1)
)

INSERT INTO callsink.failure_kpis_hourly
SELECT
    dirty.hour,
    call.account_sid,
    call.direction,
    call.call_type,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_code
        ELSE call.to_country_code END AS country_code,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_carrier
        ELSE call.to_carrier END AS carrier,
    call.call_state,
    call.last_sip_response_num,
    call.q850_cause,
    count(*)
FROM unnest($1::timestamptz[]) AS dirty (hour)
INNER JOIN public.call_summaries AS call
    ON call.start_time >= dirty.hour AND call.start_time < dirty.hour + interval '1 hour'
WHERE call.call_state NOT IN ('completed', 'answered', 'undialed', 'ringing')
GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
