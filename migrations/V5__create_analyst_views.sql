-- What analysts read: calls in plain words, and key figures by hour and by day.
--
-- The views run with the rights of their owner (security_invoker is off, the default), on purpose: a reader who may not see
-- phone numbers and addresses still gets them masked, as pseudonyms, and counted.
-- Definitions of ASR, NER, ACD and PDD: ITU-T E.411 and E.425 in Twilio's words (call_state, pdd_ms, connect_duration).

-- A key that only the owner can read makes pseudonyms that nobody can undo by trying all phone numbers.
CREATE TABLE callsink.pseudonym_key (
    only_row boolean NOT NULL DEFAULT true,
    key text NOT NULL,
    CONSTRAINT pseudonym_key_pkey PRIMARY KEY (only_row),
    CONSTRAINT pseudonym_key_one_row_check CHECK (only_row)
);

COMMENT ON TABLE callsink.pseudonym_key IS 'One row: the secret by which public.calls makes pseudonyms of parties. Whoever reads it can find out who called; deleting it, or replacing it, breaks the link to older exports for good.';
COMMENT ON COLUMN callsink.pseudonym_key.only_row IS 'Always true: there is one row.';
COMMENT ON COLUMN callsink.pseudonym_key.key IS 'Random, made when the schema was created.';

INSERT INTO callsink.pseudonym_key (key) VALUES (gen_random_uuid()::text || gen_random_uuid()::text);

CREATE FUNCTION public.mask_party(party text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN party IS NULL THEN NULL
        WHEN party ~ '^\+?[0-9]{8,}$' THEN left(party, 5) || repeat('*', length(party) - 7) || right(party, 2)
        WHEN party ~ '^(client|sip|sips|whatsapp):' THEN split_part(party, ':', 1) || ':***'
        ELSE '***'
    END
$$;

COMMENT ON FUNCTION public.mask_party(text) IS 'A party that can be shown: of a phone number the first five characters and the last two digits, of client:, sip: and whatsapp: only the scheme. NULL: not known.';

CREATE VIEW public.calls AS
SELECT
    call.call_sid,
    call.account_sid,
    call.parent_call_sid,
    call.created_time,
    call.start_time,
    call.end_time,
    call.call_type,
    call.direction,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN 'inbound'
        WHEN call.direction IS NOT NULL THEN 'outbound' END AS way,
    call.call_state,
    call.call_state IN ('completed', 'answered') AS answered,
    CASE call.call_state
        WHEN 'completed' THEN 'answered'
        WHEN 'answered' THEN 'answered'
        WHEN 'busy' THEN 'busy'
        WHEN 'noanswer' THEN 'no answer'
        WHEN 'canceled' THEN 'canceled'
        WHEN 'fail' THEN 'failed'
        WHEN 'ringing' THEN 'not over yet'
        WHEN 'undialed' THEN 'never dialled'
        ELSE call.call_state
    END AS outcome,
    CASE call.event_rank WHEN 3 THEN 'complete' WHEN 2 THEN 'predicted' WHEN 1 THEN 'partial' ELSE 'unknown' END AS finality,
    call.duration AS duration_seconds,
    call.connect_duration AS connect_seconds,
    nullif(call.pdd_ms, 0) AS pdd_ms,
    call.queue_time AS queue_ms,
    call.disconnected_by AS hung_up_by,
    call.last_sip_response_num,
    call.q850_cause,
    call.answered_by,
    public.mask_party(coalesce(call.from_caller, call.from_callee)) AS from_party,
    public.mask_party(coalesce(call.to_callee, call.to_caller)) AS to_party,
    CASE WHEN coalesce(call.from_caller, call.from_callee) IS NOT NULL THEN left(encode(sha256(convert_to(
        (SELECT key FROM callsink.pseudonym_key) || coalesce(call.from_caller, call.from_callee), 'UTF8')), 'hex'), 16) END
        AS from_pseudonym,
    CASE WHEN coalesce(call.to_callee, call.to_caller) IS NOT NULL THEN left(encode(sha256(convert_to(
        (SELECT key FROM callsink.pseudonym_key) || coalesce(call.to_callee, call.to_caller), 'UTF8')), 'hex'), 16) END
        AS to_pseudonym,
    call.from_country_code,
    call.from_carrier,
    call.from_connection,
    call.to_country_code,
    call.to_carrier,
    call.to_connection,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_code
        ELSE call.to_country_code END AS country_code,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_carrier
        ELSE call.to_carrier END AS carrier,
    coalesce(call.from_sdk_type, call.to_sdk_type) AS sdk_type,
    coalesce(call.from_sdk_version, call.to_sdk_version) AS sdk_version,
    coalesce(call.from_sdk_browser_name, call.to_sdk_browser_name) AS sdk_browser,
    coalesce(call.from_sdk_os_name, call.to_sdk_os_name) AS sdk_os,
    call.tags,
    call.tags <> '{}' AS tagged,
    coalesce('silence' = ANY (call.tags), false) AS has_silence,
    coalesce('high_jitter' = ANY (call.tags), false) AS has_high_jitter,
    coalesce('high_packet_loss' = ANY (call.tags), false) AS has_high_packet_loss,
    coalesce('high_pdd' = ANY (call.tags), false) AS has_high_pdd,
    coalesce('high_latency' = ANY (call.tags), false) AS has_high_latency,
    coalesce('low_mos' = ANY (call.tags), false) AS has_low_mos,
    coalesce('ice_failure' = ANY (call.tags), false) AS has_ice_failure,
    coalesce('pstn_short_duration' = ANY (call.tags), false) AS has_short_duration,
    worst.loss_percent AS worst_loss_percent,
    worst.jitter_ms AS worst_jitter_ms,
    worst.jitter_max_ms AS worst_jitter_max_ms,
    worst.latency_ms AS worst_latency_ms,
    worst.rtt_ms AS worst_rtt_ms,
    worst.mos AS worst_mos,
    worst.mos_est AS worst_mos_est,
    worst.edge_location,
    call.trust_verified_caller AS verified_caller,
    call.trust_branded_enabled AS branded,
    extract(epoch FROM call.partial_time - call.end_time)::double precision AS partial_lag_seconds,
    extract(epoch FROM call.predicted_complete_time - call.end_time)::double precision AS predicted_lag_seconds,
    extract(epoch FROM call.complete_time - call.end_time)::double precision AS complete_lag_seconds,
    call.first_received_time,
    call.last_received_time
FROM public.call_summaries AS call
-- A left join, so that PostgreSQL leaves it out where none of its columns is asked for.
LEFT JOIN LATERAL (
    SELECT
        max(edge.packets_loss_percentage) AS loss_percent,
        max(edge.jitter_avg) AS jitter_ms,
        max(edge.jitter_max) AS jitter_max_ms,
        max(edge.latency_avg) AS latency_ms,
        max(edge.rtt_avg) AS rtt_ms,
        min(edge.mos_avg) AS mos,
        min(public.estimate_mos(edge.packets_loss_percentage, edge.jitter_avg,
            coalesce(edge.latency_avg, edge.rtt_avg / 2), edge.codec_name)) AS mos_est,
        min(edge.edge_location) AS edge_location
    FROM unnest(call.edges) AS edge
) AS worst ON true;

COMMENT ON VIEW public.calls IS 'One row per call in plain words: outcome, flags, lags, the worst of its edges, parties masked. Everything that Twilio says stands in call_summaries; metrics per edge in call_edge_metrics. Ask for a span of start_time, or for tagged calls, which an index finds at once.';
COMMENT ON COLUMN public.calls.call_sid IS 'The call (CA...).';
COMMENT ON COLUMN public.calls.account_sid IS 'Account that made or took the call (AC...). NULL: not said.';
COMMENT ON COLUMN public.calls.parent_call_sid IS 'The call that this one is a leg of (CA...). NULL: none, or known from the REST API only.';
COMMENT ON COLUMN public.calls.created_time IS 'When the call was asked for; earlier than start_time when it waited in a queue. NULL: not said.';
COMMENT ON COLUMN public.calls.start_time IS 'Start of the call: about when it was answered, or when it began to ring if it was not. NULL: not said yet.';
COMMENT ON COLUMN public.calls.end_time IS 'End of the call. NULL: not said yet.';
COMMENT ON COLUMN public.calls.call_type IS 'carrier, sip, trunking, client, whatsapp, ...: as Twilio says. NULL: not known.';
COMMENT ON COLUMN public.calls.direction IS 'inbound, outbound_api, outbound_dial, trunking_originating, trunking_terminating: as Twilio says. NULL: not known.';
COMMENT ON COLUMN public.calls.way IS 'inbound for inbound and trunking_originating (the other party called), else outbound. NULL: direction is not known.';
COMMENT ON COLUMN public.calls.call_state IS 'How the call ended, in Twilio''s word. NULL: not known.';
COMMENT ON COLUMN public.calls.answered IS 'Whether the call was answered: call_state is completed or answered. NULL: not known.';
COMMENT ON COLUMN public.calls.outcome IS 'call_state in plain words: answered, busy, no answer, canceled, failed, not over yet, never dialled; or Twilio''s word for a new one. NULL: not known.';
COMMENT ON COLUMN public.calls.finality IS 'How final what this row shows is: complete, predicted (Twilio''s model thinks so), partial, or unknown.';
COMMENT ON COLUMN public.calls.duration_seconds IS 'Seconds from created_time to end_time, as Twilio says. NULL: not said.';
COMMENT ON COLUMN public.calls.connect_seconds IS 'Seconds from answer to end, 0 if not answered, as Twilio says. NULL: not said.';
COMMENT ON COLUMN public.calls.pdd_ms IS 'Post-dial delay: milliseconds from the SIP INVITE to ringing (18x). NULL: not measured, which Twilio also says as 0.';
COMMENT ON COLUMN public.calls.queue_ms IS 'Milliseconds that the call waited before it was dialled (calls-per-second limit), estimated by Twilio. NULL: not said.';
COMMENT ON COLUMN public.calls.hung_up_by IS 'caller or callee. NULL: not known, as for calls that were not answered.';
COMMENT ON COLUMN public.calls.last_sip_response_num IS 'Last SIP response: 200 normal, 486 busy, 487 cancelled, ...; 0 none. NULL: not said.';
COMMENT ON COLUMN public.calls.q850_cause IS 'Q.850 cause, schema version 1 only; 0 none. NULL: not said.';
COMMENT ON COLUMN public.calls.answered_by IS 'Answering-machine detection: human, machine_start, machine_end_beep, fax, .... Known from the REST API. NULL: not known.';
COMMENT ON COLUMN public.calls.from_party IS 'Caller, masked by mask_party. NULL: not known.';
COMMENT ON COLUMN public.calls.to_party IS 'Callee, masked by mask_party. NULL: not known.';
COMMENT ON COLUMN public.calls.from_pseudonym IS 'The same for the same caller, and of no use without the key in this database: for counting and joining. It is a pseudonym, still personal data by law. NULL: not known.';
COMMENT ON COLUMN public.calls.to_pseudonym IS 'The same for the same callee; see from_pseudonym. NULL: not known.';
COMMENT ON COLUMN public.calls.from_country_code IS 'Country of the caller (ISO 3166-1 alpha-2). NULL: not known.';
COMMENT ON COLUMN public.calls.from_carrier IS 'Carrier of the caller. NULL: not known.';
COMMENT ON COLUMN public.calls.from_connection IS 'Kind of the caller''s connection: landline, mobile, voip, .... NULL: not known.';
COMMENT ON COLUMN public.calls.to_country_code IS 'Country of the callee (ISO 3166-1 alpha-2). NULL: not known.';
COMMENT ON COLUMN public.calls.to_carrier IS 'Carrier of the callee. NULL: not known.';
COMMENT ON COLUMN public.calls.to_connection IS 'Kind of the callee''s connection: landline, mobile, voip, .... NULL: not known.';
COMMENT ON COLUMN public.calls.country_code IS 'Country of the other party: who called us, or whom we called. NULL: not known.';
COMMENT ON COLUMN public.calls.carrier IS 'Carrier of the other party: who called us, or whom we called. NULL: not known.';
COMMENT ON COLUMN public.calls.sdk_type IS 'Voice SDK at either end, for example twilio-voice-js. NULL: none, or not said.';
COMMENT ON COLUMN public.calls.sdk_version IS 'Version of the Voice SDK. NULL: none, or not said.';
COMMENT ON COLUMN public.calls.sdk_browser IS 'Browser in which the Voice SDK ran. NULL: none, or not said.';
COMMENT ON COLUMN public.calls.sdk_os IS 'Operating system on which the Voice SDK ran. NULL: none, or not said.';
COMMENT ON COLUMN public.calls.tags IS 'Quality tags as Twilio set them. NULL: not said. Empty: none.';
COMMENT ON COLUMN public.calls.tagged IS 'Whether the call carries any quality tag. NULL: tags were not said.';
COMMENT ON COLUMN public.calls.has_silence IS 'Tag silence: a media stream at a gateway was missing or wholly silent.';
COMMENT ON COLUMN public.calls.has_high_jitter IS 'Tag high_jitter: average at least 5 ms and maximum at least 30 ms, or more than 1 percent of packets 200 ms late.';
COMMENT ON COLUMN public.calls.has_high_packet_loss IS 'Tag high_packet_loss: more than 5 percent lost.';
COMMENT ON COLUMN public.calls.has_high_pdd IS 'Tag high_pdd: post-dial delay above the 95th percentile of its country.';
COMMENT ON COLUMN public.calls.has_high_latency IS 'Tag high_latency: over 150 ms within Twilio, or a round trip over 400 ms at the SDK.';
COMMENT ON COLUMN public.calls.has_low_mos IS 'Tag low_mos: MOS below 3.5 at the SDK.';
COMMENT ON COLUMN public.calls.has_ice_failure IS 'Tag ice_failure: the SDK found no way for the media.';
COMMENT ON COLUMN public.calls.has_short_duration IS 'Tag pstn_short_duration: a completed call of less than 10 seconds.';
COMMENT ON COLUMN public.calls.worst_loss_percent IS 'Highest packet loss of any edge and direction, percent. NULL: not measured.';
COMMENT ON COLUMN public.calls.worst_jitter_ms IS 'Highest average jitter of any edge and direction, milliseconds. NULL: not measured.';
COMMENT ON COLUMN public.calls.worst_jitter_max_ms IS 'Highest maximum of jitter of any edge and direction, milliseconds. NULL: not measured.';
COMMENT ON COLUMN public.calls.worst_latency_ms IS 'Highest average Twilio-internal latency of any edge, milliseconds. NULL: not measured.';
COMMENT ON COLUMN public.calls.worst_rtt_ms IS 'Highest average round trip of the SDK edge, milliseconds. NULL: not measured.';
COMMENT ON COLUMN public.calls.worst_mos IS 'Lowest average MOS that Twilio says (SDK edge only). NULL: not measured.';
COMMENT ON COLUMN public.calls.worst_mos_est IS 'Lowest MOS of any edge and direction as estimate_mos guesses it; not Twilio''s. NULL: loss or jitter was not measured.';
COMMENT ON COLUMN public.calls.edge_location IS 'Twilio edge location that carried the call (the first by name, of several). NULL: not said.';
COMMENT ON COLUMN public.calls.verified_caller IS 'Caller verified by SHAKEN/STIR with attestation A. NULL: not said.';
COMMENT ON COLUMN public.calls.branded IS 'Whether the call was branded. NULL: not said.';
COMMENT ON COLUMN public.calls.partial_lag_seconds IS 'Seconds from the end of the call to the latest partial event. NULL: none came, or a time is missing.';
COMMENT ON COLUMN public.calls.predicted_lag_seconds IS 'Seconds from the end of the call to the latest predicted-complete event. NULL: none came, or a time is missing.';
COMMENT ON COLUMN public.calls.complete_lag_seconds IS 'Seconds from the end of the call to the latest complete event. NULL: none came, or a time is missing.';
COMMENT ON COLUMN public.calls.first_received_time IS 'When callsink first heard of the call.';
COMMENT ON COLUMN public.calls.last_received_time IS 'When callsink last heard of the call.';

CREATE VIEW public.call_edge_quality AS
SELECT
    call.call_sid,
    call.account_sid,
    call.start_time,
    call.call_type,
    call.direction AS call_direction,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_code
        ELSE call.to_country_code END AS country_code,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_carrier
        ELSE call.to_carrier END AS carrier,
    edge.edge,
    edge.direction,
    edge.codec_name,
    edge.edge_location,
    edge.packets_loss_percentage,
    edge.jitter_avg,
    edge.jitter_max,
    edge.latency_avg,
    edge.rtt_avg,
    edge.mos_avg,
    public.estimate_mos(edge.packets_loss_percentage, edge.jitter_avg,
        coalesce(edge.latency_avg, edge.rtt_avg / 2), edge.codec_name) AS mos_est
FROM public.call_summaries AS call
CROSS JOIN LATERAL unnest(call.edges) AS edge
WHERE edge.direction IS NOT NULL;

COMMENT ON VIEW public.call_edge_quality IS 'Quality of each call at each edge and direction of the media, with the estimated MOS and the cuts of the key figures. One row per call, edge and direction with metrics; all metrics and properties stand in call_edge_metrics.';
COMMENT ON COLUMN public.call_edge_quality.call_sid IS 'The call (CA...).';
COMMENT ON COLUMN public.call_edge_quality.account_sid IS 'Account of the call (AC...). NULL: not said.';
COMMENT ON COLUMN public.call_edge_quality.start_time IS 'Start of the call. NULL: not said yet.';
COMMENT ON COLUMN public.call_edge_quality.call_type IS 'carrier, sip, trunking, client, .... NULL: not known.';
COMMENT ON COLUMN public.call_edge_quality.call_direction IS 'Direction of the call, in Twilio''s word. NULL: not known.';
COMMENT ON COLUMN public.call_edge_quality.country_code IS 'Country of the other party. NULL: not known.';
COMMENT ON COLUMN public.call_edge_quality.carrier IS 'Carrier of the other party. NULL: not known.';
COMMENT ON COLUMN public.call_edge_quality.edge IS 'Edge that measured: carrier_edge, sip_edge, client_edge or sdk_edge.';
COMMENT ON COLUMN public.call_edge_quality.direction IS 'Direction of the media from the edge''s view: inbound is what the edge received.';
COMMENT ON COLUMN public.call_edge_quality.codec_name IS 'pcmu, opus, g729, .... NULL: not known.';
COMMENT ON COLUMN public.call_edge_quality.edge_location IS 'Twilio edge location. NULL: not said.';
COMMENT ON COLUMN public.call_edge_quality.packets_loss_percentage IS 'Packets lost, percent. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_quality.jitter_avg IS 'Average jitter, milliseconds. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_quality.jitter_max IS 'Maximum jitter, milliseconds. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_quality.latency_avg IS 'Average Twilio-internal latency, milliseconds. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_quality.rtt_avg IS 'Average round trip, milliseconds, SDK edge only. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_quality.mos_avg IS 'Average MOS that Twilio says, SDK edge only. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_quality.mos_est IS 'MOS as estimate_mos guesses it from loss, average jitter, and latency or half the round trip; not Twilio''s. NULL: loss or jitter was not measured.';

-- Key figures: the same columns by hour and by day, so each is written once.
DO $$
DECLARE
    grain text;
    unit text;
    view text;
    said record;
BEGIN
    FOR grain, unit IN VALUES ('hourly', 'hour'), ('daily', 'day') LOOP
        view := 'kpi_calls_' || grain;
        EXECUTE format($view$
            CREATE VIEW public.%1$I AS
            SELECT
                %3$I,
                account_sid,
                direction,
                call_type,
                country_code,
                carrier,
                calls,
                attempts,
                answered,
                delivered,
                busy,
                no_answer,
                canceled,
                failed,
                100::double precision * answered / nullif(attempts, 0) AS asr_percent,
                100::double precision * delivered / nullif(attempts, 0) AS ner_percent,
                connect_seconds,
                connect_seconds::double precision / nullif(answered, 0) AS acd_seconds,
                connect_p50_seconds,
                connect_p90_seconds,
                pdd_p50_ms,
                pdd_p90_ms,
                pdd_p95_ms,
                pdd_p99_ms,
                queue_p95_ms,
                long_calls,
                short_candidates,
                short_calls,
                100::double precision * short_calls / nullif(short_candidates, 0) AS short_percent,
                tagged,
                100::double precision * tagged / nullif(calls, 0) AS tagged_percent,
                silence,
                high_jitter,
                high_packet_loss,
                high_pdd,
                high_latency,
                low_mos,
                ice_failure,
                pstn_short_duration,
                hung_up_by_caller,
                hung_up_by_callee,
                verified_attempts,
                verified_answered,
                answered_by_human,
                answered_by_machine,
                still_partial,
                predicted_complete,
                complete,
                complete_lag_p50_seconds,
                complete_lag_p95_seconds,
                connect_histogram,
                pdd_histogram,
                queue_histogram,
                complete_lag_histogram
            FROM callsink.call_kpis_%2$s$view$, view, grain, unit);
        EXECUTE format('COMMENT ON VIEW public.%I IS %L', view,
            'Key figures of calls by ' || unit || ' (UTC, of start_time) and by account, direction, call type, and country and carrier of the other party. Counts add up over any cut; rates and percentiles do not: divide the summed counts, and take histogram_quantile(histogram_sum(..._histogram), 0.95). Calls without start_time are in no ' || unit || '. Kept up to date by callsink serve; kpi_freshness says how far.');
        FOR said IN SELECT * FROM (VALUES
            (unit, 'Start of the ' || unit || ', UTC, in which the calls started.'),
            ('account_sid', 'Account of the calls (AC...). NULL: not said.'),
            ('direction', 'inbound, outbound_api, outbound_dial, trunking_originating, trunking_terminating. NULL: not known.'),
            ('call_type', 'carrier, sip, trunking, client, whatsapp. NULL: not known.'),
            ('country_code', 'Country of the other party: the caller of inbound and trunking_originating calls, else the callee. NULL: not known.'),
            ('carrier', 'Carrier of the other party. NULL: not known.'),
            ('calls', 'All calls.'),
            ('attempts', 'Seizures: calls that were dialled and are over, call_state other than undialed and ringing, and known. ITU-T E.411.'),
            ('answered', 'Attempts that were answered: call_state completed or answered.'),
            ('delivered', 'Attempts that the network delivered, whatever the callee did: answered, busy, no answer, canceled after ringing (pdd_ms > 0), and failures that the callee''s side decided (last SIP response 480, 486, 487 or 6xx). ITU-T E.425; which responses count is our choice.'),
            ('busy', 'Attempts that met a busy callee: call_state busy.'),
            ('no_answer', 'Attempts that nobody answered: call_state noanswer.'),
            ('canceled', 'Attempts that the caller gave up: call_state canceled.'),
            ('failed', 'Attempts that failed: call_state fail.'),
            ('asr_percent', 'Answer-seizure ratio: 100 * answered / attempts. ITU-T E.411. NULL: no attempts.'),
            ('ner_percent', 'Network effectiveness ratio: 100 * delivered / attempts. ITU-T E.425; not Twilio''s deliverability score. NULL: no attempts.'),
            ('connect_seconds', 'Seconds from answer to end, summed over answered calls (connect_duration).'),
            ('acd_seconds', 'Average call duration: connect_seconds / answered, seconds. ITU-T E.411, Twilio''s aloc. NULL: none was answered.'),
            ('connect_p50_seconds', 'Median length of answered calls, seconds; off by 7.3 percent at most. NULL: none was answered.'),
            ('connect_p90_seconds', '90th percentile of the length of answered calls, seconds; off by 7.3 percent at most. NULL: none was answered.'),
            ('pdd_p50_ms', 'Median post-dial delay, milliseconds, of calls with pdd_ms > 0; off by 7.3 percent at most. NULL: not measured.'),
            ('pdd_p90_ms', '90th percentile of post-dial delay, milliseconds; off by 7.3 percent at most. NULL: not measured.'),
            ('pdd_p95_ms', '95th percentile of post-dial delay, milliseconds; off by 7.3 percent at most. NULL: not measured.'),
            ('pdd_p99_ms', '99th percentile of post-dial delay, milliseconds; off by 7.3 percent at most. NULL: not measured.'),
            ('queue_p95_ms', '95th percentile of queue_time, milliseconds; off by 7.3 percent at most. NULL: not said.'),
            ('long_calls', 'Answered calls of 60 seconds or more. Source: Twilio''s Reports API.'),
            ('short_candidates', 'Completed outbound calls to the telephone network (call type carrier or trunking): what short_percent is a share of.'),
            ('short_calls', 'Of short_candidates, those of less than 10 seconds. Source: Twilio''s Reports API.'),
            ('short_percent', '100 * short_calls / short_candidates; over 15 lowers trust in the calling number. Source: Twilio''s Reports API. NULL: none.'),
            ('tagged', 'Calls with at least one quality tag.'),
            ('tagged_percent', '100 * tagged / calls. NULL never happens in a row with calls.'),
            ('silence', 'Calls with the tag silence.'),
            ('high_jitter', 'Calls with the tag high_jitter.'),
            ('high_packet_loss', 'Calls with the tag high_packet_loss.'),
            ('high_pdd', 'Calls with the tag high_pdd.'),
            ('high_latency', 'Calls with the tag high_latency.'),
            ('low_mos', 'Calls with the tag low_mos.'),
            ('ice_failure', 'Calls with the tag ice_failure.'),
            ('pstn_short_duration', 'Calls with the tag pstn_short_duration.'),
            ('hung_up_by_caller', 'Answered calls that the caller ended.'),
            ('hung_up_by_callee', 'Answered calls that the callee ended. The rest of answered is not known.'),
            ('verified_attempts', 'Attempts whose caller was verified by SHAKEN/STIR with attestation A.'),
            ('verified_answered', 'Of verified_attempts, those that were answered.'),
            ('answered_by_human', 'Calls that a human answered, by answering-machine detection (known from the REST API).'),
            ('answered_by_machine', 'Calls that a machine or fax answered, by answering-machine detection (known from the REST API).'),
            ('still_partial', 'Calls whose row shows a partial summary so far, or one of an unknown state.'),
            ('predicted_complete', 'Calls whose row shows a predicted-complete summary so far.'),
            ('complete', 'Calls whose row shows a complete summary.'),
            ('complete_lag_p50_seconds', 'Median of the seconds from the end of a call to its complete event; off by 7.3 percent at most. NULL: none came.'),
            ('complete_lag_p95_seconds', '95th percentile of the seconds from the end of a call to its complete event; off by 7.3 percent at most. NULL: none came.'),
            ('connect_histogram', 'Histogram of the length of answered calls, seconds; see histogram_sum and histogram_quantile.'),
            ('pdd_histogram', 'Histogram of post-dial delay, milliseconds, of calls with pdd_ms > 0.'),
            ('queue_histogram', 'Histogram of queue_time, milliseconds.'),
            ('complete_lag_histogram', 'Histogram of the seconds from the end of a call to its complete event.')
        ) AS comments (name, comment) LOOP
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', view, said.name, said.comment);
        END LOOP;

        view := 'kpi_edges_' || grain;
        EXECUTE format($view$
            CREATE VIEW public.%1$I AS
            SELECT
                %3$I,
                account_sid,
                edge,
                direction,
                codec_name,
                edge_location,
                country_code,
                carrier,
                legs,
                packets_received,
                packets_sent,
                packets_lost,
                100::double precision * packets_lost / nullif(packets_received + packets_lost, 0) AS loss_percent,
                loss_measured,
                loss_over_1_percent,
                loss_over_3_percent,
                loss_over_5_percent,
                loss_p95_percent,
                jitter_measured,
                jittery,
                jitter_p50_ms,
                jitter_p95_ms,
                jitter_max_p95_ms,
                latency_p95_ms,
                rtt_p50_ms,
                rtt_p95_ms,
                mos_measured,
                mos_sum,
                mos_sum / nullif(mos_measured, 0) AS mos,
                mos_below_3_5,
                mos_p5,
                mos_est_measured,
                mos_est_sum,
                mos_est_sum / nullif(mos_est_measured, 0) AS mos_est,
                mos_est_p5,
                loss_histogram,
                jitter_histogram,
                jitter_max_histogram,
                latency_histogram,
                rtt_histogram,
                mos_histogram,
                mos_est_histogram
            FROM callsink.edge_kpis_%2$s$view$, view, grain, unit);
        EXECUTE format('COMMENT ON VIEW public.%I IS %L', view,
            'Media quality by ' || unit || ' (UTC, of start_time), edge and direction of the media, codec, edge location, account, and country and carrier of the other party. Counts and sums add up over any cut; for percentiles take histogram_quantile or mos_quantile of histogram_sum. Calls without start_time are in no ' || unit || '. Kept up to date by callsink serve; kpi_freshness says how far.');
        FOR said IN SELECT * FROM (VALUES
            (unit, 'Start of the ' || unit || ', UTC, in which the calls started.'),
            ('account_sid', 'Account of the calls (AC...). NULL: not said.'),
            ('edge', 'Edge that measured: carrier_edge, sip_edge, client_edge or sdk_edge.'),
            ('direction', 'Direction of the media from the edge''s view: inbound is what the edge received.'),
            ('codec_name', 'pcmu, opus, g729, .... NULL: not known.'),
            ('edge_location', 'Twilio edge location. NULL: not said.'),
            ('country_code', 'Country of the other party. NULL: not known.'),
            ('carrier', 'Carrier of the other party. NULL: not known.'),
            ('legs', 'Calls counted once per edge and direction with metrics.'),
            ('packets_received', 'RTP packets received, summed.'),
            ('packets_sent', 'RTP packets sent, summed.'),
            ('packets_lost', 'RTP packets lost, summed.'),
            ('loss_percent', '100 * packets_lost / (packets_received + packets_lost): long calls weigh more. NULL: no packets.'),
            ('loss_measured', 'Legs with a packet loss percentage.'),
            ('loss_over_1_percent', 'Legs that lost more than 1 percent.'),
            ('loss_over_3_percent', 'Legs that lost more than 3 percent.'),
            ('loss_over_5_percent', 'Legs that lost more than 5 percent: Twilio''s threshold of high_packet_loss.'),
            ('loss_p95_percent', '95th percentile of packet loss over legs, percent; off by 7.3 percent of its value at most, below 0.1 it counts as 0. NULL: not measured.'),
            ('jitter_measured', 'Legs with an average jitter.'),
            ('jittery', 'Legs with average jitter of at least 5 ms and maximum of at least 30 ms: the first of Twilio''s conditions of high_jitter.'),
            ('jitter_p50_ms', 'Median of average jitter, milliseconds; off by 7.3 percent at most. NULL: not measured.'),
            ('jitter_p95_ms', '95th percentile of average jitter, milliseconds; off by 7.3 percent at most. NULL: not measured.'),
            ('jitter_max_p95_ms', '95th percentile of maximum jitter, milliseconds; off by 7.3 percent at most. NULL: not measured.'),
            ('latency_p95_ms', '95th percentile of average Twilio-internal latency, milliseconds; off by 7.3 percent at most. NULL: not measured.'),
            ('rtt_p50_ms', 'Median of the average round trip, milliseconds, SDK edge only; off by 7.3 percent at most. NULL: not measured.'),
            ('rtt_p95_ms', '95th percentile of the average round trip, milliseconds, SDK edge only; off by 7.3 percent at most. NULL: not measured.'),
            ('mos_measured', 'Legs for which Twilio says a MOS (SDK edge, inbound).'),
            ('mos_sum', 'Average MOS of those legs, summed: mos_sum / mos_measured is the mean.'),
            ('mos', 'Mean of Twilio''s average MOS. NULL: not measured.'),
            ('mos_below_3_5', 'Legs with an average MOS below 3.5: Twilio''s threshold of low_mos.'),
            ('mos_p5', '5th percentile of Twilio''s average MOS: the worst twentieth is no better; off by 0.025 at most. NULL: not measured.'),
            ('mos_est_measured', 'Legs for which MOS could be estimated: loss and jitter were measured.'),
            ('mos_est_sum', 'Estimated MOS of those legs, summed.'),
            ('mos_est', 'Mean of the MOS estimated by estimate_mos (E-model, ITU-T G.107); not Twilio''s. NULL: could not be estimated.'),
            ('mos_est_p5', '5th percentile of the estimated MOS; off by 0.025 at most. NULL: could not be estimated.'),
            ('loss_histogram', 'Histogram of packet loss, percent.'),
            ('jitter_histogram', 'Histogram of average jitter, milliseconds.'),
            ('jitter_max_histogram', 'Histogram of maximum jitter, milliseconds.'),
            ('latency_histogram', 'Histogram of average Twilio-internal latency, milliseconds.'),
            ('rtt_histogram', 'Histogram of the average round trip, milliseconds.'),
            ('mos_histogram', 'Histogram of Twilio''s average MOS; for mos_quantile.'),
            ('mos_est_histogram', 'Histogram of the estimated MOS; for mos_quantile.')
        ) AS comments (name, comment) LOOP
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', view, said.name, said.comment);
        END LOOP;

        view := 'kpi_failures_' || grain;
        EXECUTE format($view$
            CREATE VIEW public.%1$I AS
            SELECT
                %3$I,
                account_sid,
                direction,
                call_type,
                country_code,
                carrier,
                call_state,
                last_sip_response_num,
                q850_cause,
                calls
            FROM callsink.failure_kpis_%2$s$view$, view, grain, unit);
        EXECUTE format('COMMENT ON VIEW public.%I IS %L', view,
            'Why calls were not answered, by ' || unit || ' (UTC, of start_time): attempts with call_state other than completed and answered, by state, last SIP response and Q.850 cause. Counts add up over any cut.');
        FOR said IN SELECT * FROM (VALUES
            (unit, 'Start of the ' || unit || ', UTC, in which the calls started.'),
            ('account_sid', 'Account of the calls (AC...). NULL: not said.'),
            ('direction', 'Direction of the call, in Twilio''s word. NULL: not known.'),
            ('call_type', 'carrier, sip, trunking, client, whatsapp. NULL: not known.'),
            ('country_code', 'Country of the other party. NULL: not known.'),
            ('carrier', 'Carrier of the other party. NULL: not known.'),
            ('call_state', 'busy, fail, noanswer, canceled, or a word that Twilio adds.'),
            ('last_sip_response_num', 'Last SIP response; 0 none. NULL: not said.'),
            ('q850_cause', 'Q.850 cause (schema version 1 only); 0 none. NULL: not said.'),
            ('calls', 'Calls that ended so.')
        ) AS comments (name, comment) LOOP
            EXECUTE format('COMMENT ON COLUMN public.%I.%I IS %L', view, said.name, said.comment);
        END LOOP;
    END LOOP;
END
$$;

CREATE VIEW public.kpi_freshness AS
SELECT
    refreshed_time,
    (SELECT count(DISTINCT hour) FROM callsink.dirty_hours) AS hours_waiting
FROM callsink.kpi_refresh;

COMMENT ON VIEW public.kpi_freshness IS 'One row: how far the key figures (kpi_*) are up to date.';
COMMENT ON COLUMN public.kpi_freshness.refreshed_time IS 'When they were last brought up to date. NULL: never yet.';
COMMENT ON COLUMN public.kpi_freshness.hours_waiting IS 'Hours whose calls have changed since. A few are normal: calls end all the time.';

DO $$
DECLARE
    reader text;
BEGIN
    FOREACH reader IN ARRAY ARRAY['callsink_reader', 'callsink_pii_reader'] LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
            EXECUTE format(
                'GRANT SELECT ON public.calls, public.call_edge_quality, public.kpi_calls_hourly, public.kpi_calls_daily, '
                'public.kpi_edges_hourly, public.kpi_edges_daily, public.kpi_failures_hourly, public.kpi_failures_daily, '
                'public.kpi_freshness TO %I', reader);
            EXECUTE format('GRANT SELECT (replaced_start_time) ON public.call_summaries TO %I', reader);
        END IF;
    END LOOP;
END
$$;
