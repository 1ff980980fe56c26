-- store::Session::refresh_kpis; what each column means is said at public.kpi_failures_hourly
-- One hour a time: with several, PostgreSQL doesn't see how few calls they are, and reads the whole table.
WITH gone AS (
    DELETE FROM callsink.failure_kpis_hourly WHERE hour = $1
)

INSERT INTO callsink.failure_kpis_hourly
SELECT
    $1,
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
FROM public.call_summaries AS call
WHERE
    call.start_time >= $1 AND call.start_time < $1 + interval '1 hour'
    AND call.call_state NOT IN ('completed', 'answered', 'undialed', 'ringing')
GROUP BY 2, 3, 4, 5, 6, 7, 8, 9
