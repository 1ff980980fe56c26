-- store::Session::refresh_kpis; what each column means is said at public.kpi_calls_hourly
-- One hour a time: with several, PostgreSQL doesn't see how few calls they are, and reads the whole table.
WITH gone AS (
    DELETE FROM callsink.call_kpis_hourly WHERE hour = $1
),

counted AS (
    SELECT
        call.account_sid,
        call.direction,
        call.call_type,
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_code
            ELSE call.to_country_code END AS country_code,
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_carrier
            ELSE call.to_carrier END AS carrier,
        call.call_state,
        call.call_state NOT IN ('undialed', 'ringing') AS is_attempt,
        call.call_state IN ('completed', 'answered') AS is_answered,
        call.call_state = 'completed'
            AND call.call_type IN ('carrier', 'trunking')
            AND call.direction NOT IN ('inbound', 'trunking_originating') AS is_short_candidate,
        call.connect_duration,
        nullif(call.pdd_ms, 0) AS pdd_ms,
        call.last_sip_response_num AS sip_response,
        call.queue_time,
        call.tags,
        call.disconnected_by,
        call.trust_verified_caller,
        call.answered_by,
        call.event_rank,
        extract(EPOCH FROM call.complete_time - call.end_time)::double precision AS complete_lag
    FROM public.call_summaries AS call
    WHERE call.start_time >= $1 AND call.start_time < $1 + interval '1 hour'
)

INSERT INTO callsink.call_kpis_hourly
SELECT
    $1,
    account_sid,
    direction,
    call_type,
    country_code,
    carrier,
    count(*),
    count(*) FILTER (WHERE is_attempt),
    count(*) FILTER (WHERE is_answered),
    count(*) FILTER (WHERE is_answered
        OR call_state IN ('busy', 'noanswer')
        OR call_state = 'canceled' AND pdd_ms > 0
        OR call_state = 'fail' AND (sip_response IN (480, 486, 487) OR sip_response BETWEEN 600 AND 699)),
    count(*) FILTER (WHERE call_state = 'busy'),
    count(*) FILTER (WHERE call_state = 'noanswer'),
    count(*) FILTER (WHERE call_state = 'canceled'),
    count(*) FILTER (WHERE call_state = 'fail'),
    coalesce(sum(connect_duration) FILTER (WHERE is_answered), 0),
    count(*) FILTER (WHERE is_answered AND connect_duration >= 60),
    count(*) FILTER (WHERE is_short_candidate),
    count(*) FILTER (WHERE is_short_candidate AND connect_duration < 10),
    coalesce(sum(public.histogram_of(connect_duration)) FILTER (WHERE is_answered), 0),
    coalesce(sum(public.histogram_of(pdd_ms)), 0),
    coalesce(sum(public.histogram_of(queue_time)), 0),
    count(*) FILTER (WHERE tags <> '{}'),
    count(*) FILTER (WHERE 'silence' = ANY(tags)),
    count(*) FILTER (WHERE 'high_jitter' = ANY(tags)),
    count(*) FILTER (WHERE 'high_packet_loss' = ANY(tags)),
    count(*) FILTER (WHERE 'high_pdd' = ANY(tags)),
    count(*) FILTER (WHERE 'high_latency' = ANY(tags)),
    count(*) FILTER (WHERE 'low_mos' = ANY(tags)),
    count(*) FILTER (WHERE 'ice_failure' = ANY(tags)),
    count(*) FILTER (WHERE 'pstn_short_duration' = ANY(tags)),
    count(*) FILTER (WHERE is_answered AND disconnected_by = 'caller'),
    count(*) FILTER (WHERE is_answered AND disconnected_by = 'callee'),
    count(*) FILTER (WHERE is_attempt AND trust_verified_caller),
    count(*) FILTER (WHERE is_answered AND trust_verified_caller),
    count(*) FILTER (WHERE answered_by = 'human'),
    count(*) FILTER (WHERE answered_by LIKE 'machine%' OR answered_by = 'fax'),
    count(*) FILTER (WHERE event_rank < 2),
    count(*) FILTER (WHERE event_rank = 2),
    count(*) FILTER (WHERE event_rank = 3),
    coalesce(sum(public.histogram_of(greatest(complete_lag, 0))), 0)
FROM counted
GROUP BY account_sid, direction, call_type, country_code, carrier
