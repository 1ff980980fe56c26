-- One row per call, and its edges.
--
-- The row shows the winning event of the call whole: the greatest (event_rank, processing_version, event_time, event_id).
-- Edges are an array of a composite type on the row and not a child table: one statement a batch, one row a call, and
-- writing is 1.7 times as fast; the view call_edge_metrics is what people read.
-- Only call_sid is unique, there are no foreign keys and no triggers: the table can be distributed by call_sid as it is.
-- fillfactor 75 leaves room for the later events of a call in the same page (HOT updates); lz4 is quicker than pglz.

CREATE TYPE public.edge_metric AS (
    edge text,
    direction text,
    codec integer,
    codec_name text,
    packets_received bigint,
    packets_sent bigint,
    packets_lost bigint,
    packets_loss_percentage double precision,
    jitter_avg double precision,
    jitter_max double precision,
    latency_avg double precision,
    latency_max double precision,
    mos_avg double precision,
    mos_max double precision,
    mos_min double precision,
    rtt_avg double precision,
    rtt_max double precision,
    rtt_min double precision,
    audio_in_avg double precision,
    audio_in_max double precision,
    audio_out_avg double precision,
    audio_out_max double precision,
    packet_delay_variation json,
    bytes_received bigint,
    bytes_sent bigint,
    tags text[],
    edge_direction text,
    media_region text,
    signaling_region text,
    edge_location text,
    twilio_media_ip text,
    twilio_signaling_ip text,
    external_media_ip text,
    external_signaling_ip text,
    sip_call_id text,
    user_agent text,
    trunk_sid text,
    selected_region text,
    region text,
    disconnected_by text,
    settings json,
    events json
);

COMMENT ON TYPE public.edge_metric IS 'Metrics and properties of one edge and direction of a call, as kept in call_summaries.edges; columns as in the view call_edge_metrics.';

-- Carries the edges of one call as one element of a parameter array: PostgreSQL has no arrays of arrays of unequal length.
CREATE TYPE callsink.edge_set AS (
    edges public.edge_metric[]
);

COMMENT ON TYPE callsink.edge_set IS 'The edges of one call while they travel in a statement; no column has this type.';

CREATE TABLE public.call_summaries (
    call_sid text NOT NULL,
    account_sid text,
    parent_call_sid text,
    parent_account_sid text,
    created_time timestamptz,
    start_time timestamptz,
    end_time timestamptz,
    duration integer,
    connect_duration integer,
    call_type text,
    call_state text,
    answered_by text,
    processing_state text,
    url text,
    from_caller text,
    from_callee text,
    from_carrier text,
    from_connection text,
    from_number_prefix text,
    from_location_lat double precision,
    from_location_lon double precision,
    from_city text,
    from_country_code text,
    from_country_subdivision text,
    from_ip_address text,
    from_sdk_type text,
    from_sdk_version text,
    from_sdk_platform text,
    from_sdk_region text,
    from_sdk_selected_region text,
    from_sdk_browser_name text,
    from_sdk_browser_major text,
    from_sdk_browser_version text,
    from_sdk_os_name text,
    from_sdk_os_version text,
    from_sdk_device_model text,
    from_sdk_device_type text,
    from_sdk_device_vendor text,
    from_sdk_device_arch text,
    from_sdk_app_name text,
    from_sdk_app_version text,
    from_sdk_engine json,
    from_sdk_cpu json,
    to_caller text,
    to_callee text,
    to_carrier text,
    to_connection text,
    to_number_prefix text,
    to_location_lat double precision,
    to_location_lon double precision,
    to_city text,
    to_country_code text,
    to_country_subdivision text,
    to_ip_address text,
    to_sdk_type text,
    to_sdk_version text,
    to_sdk_platform text,
    to_sdk_region text,
    to_sdk_selected_region text,
    to_sdk_browser_name text,
    to_sdk_browser_major text,
    to_sdk_browser_version text,
    to_sdk_os_name text,
    to_sdk_os_version text,
    to_sdk_device_model text,
    to_sdk_device_type text,
    to_sdk_device_vendor text,
    to_sdk_device_arch text,
    to_sdk_app_name text,
    to_sdk_app_version text,
    to_sdk_engine json,
    to_sdk_cpu json,
    tags text[],
    conference_participant boolean,
    direction text,
    disconnected_by text,
    pdd_ms integer,
    last_sip_response_num integer,
    queue_time integer,
    q850_cause integer,
    route_id text,
    media_region text,
    signaling_region text,
    twilio_media_ip text,
    twilio_signaling_ip text,
    external_media_ip text,
    external_signaling_ip text,
    sip_call_id text,
    user_agent text,
    selected_region text,
    region text,
    trunk_sid text,
    settings json,
    trust_verified_caller boolean,
    trust_branded_enabled boolean,
    trust_branded_display_name text,
    trust_branded_long_display_name text,
    trust_branded_bundle_sid text,
    trust_branded_logo boolean,
    trust_branded_type text,
    trust_branded_use_case text,
    trust_branded_call_reason text,
    trust_branded_call_branded boolean,
    trust_branded_call_caller text,
    trust_branded_call_use_case text,
    trust_branded_call_brand_sid text,
    trust_branded_call_branded_channel_sid text,
    trust_business_profile_bundle_sid text,
    trust_business_profile_identity text,
    trust_business_profile_industry text,
    trust_business_profile_type text,
    trust_voice_integrity_enabled boolean,
    trust_voice_integrity_bundle_sid text,
    trust_voice_integrity_use_case text,
    annotation_answered_by text,
    annotation_connectivity_issue text,
    annotation_quality_issues text[],
    annotation_spam boolean,
    annotation_call_score integer,
    annotation_comment text,
    annotation_incident text,
    event_type text NOT NULL,
    event_rank smallint NOT NULL,
    processing_version bigint,
    event_time timestamptz,
    event_id text,
    event_source text,
    dataschema text,
    schema_version integer,
    edges public.edge_metric[],
    payload json NOT NULL,
    unreadable_fields text[],
    partial_time timestamptz,
    predicted_complete_time timestamptz,
    complete_time timestamptz,
    first_received_time timestamptz NOT NULL,
    last_received_time timestamptz NOT NULL,
    CONSTRAINT call_summaries_pkey PRIMARY KEY (call_sid)
) WITH (fillfactor = 75);

-- Time windows are how every dashboard asks.
CREATE INDEX call_summaries_start_time_idx ON public.call_summaries (start_time);

COMMENT ON TABLE public.call_summaries IS 'One row per call: the most final call summary that Twilio has sent, every documented field in a column of its own, and the payload as sent. Empty texts, unknown_* and absent fields are NULL. Source: Twilio Voice Insights call-summary events.';
COMMENT ON COLUMN public.call_summaries.call_sid IS 'The call (CA...), one row each.';
COMMENT ON COLUMN public.call_summaries.account_sid IS 'Account that made or took the call (AC...): the subaccount''s own SID, which need not be the account that owns the sink.';
COMMENT ON COLUMN public.call_summaries.parent_call_sid IS 'Parent leg (CA...). NULL: no parent leg, or a summary read from the REST API, which does not say.';
COMMENT ON COLUMN public.call_summaries.parent_account_sid IS 'Parent account (AC...) of a call placed by a subaccount. NULL: none, or not said.';
COMMENT ON COLUMN public.call_summaries.created_time IS 'When the call resource was created; before start_time when the call waited for calls-per-second capacity. NULL: not said (schema version 1).';
COMMENT ON COLUMN public.call_summaries.start_time IS 'Start of the call as Twilio gives it: about the time of answer for answered calls, the start of ringing otherwise. NULL: not known yet.';
COMMENT ON COLUMN public.call_summaries.end_time IS 'End of the call. NULL: not known yet.';
COMMENT ON COLUMN public.call_summaries.duration IS 'Seconds from initiation (created_time) to the end. Not end_time - start_time.';
COMMENT ON COLUMN public.call_summaries.connect_duration IS 'Seconds from answer to the end; 0 when the call was not answered.';
COMMENT ON COLUMN public.call_summaries.call_type IS 'carrier, sip, trunking, client, whatsapp; Twilio adds values.';
COMMENT ON COLUMN public.call_summaries.call_state IS 'ringing, completed, busy, fail, noanswer, canceled, answered, undialed. Not the words of the Calls API (failed, no-answer).';
COMMENT ON COLUMN public.call_summaries.answered_by IS 'Answering machine detection: unknown, machine_start, machine_end_beep, machine_end_silence, machine_end_other, human, fax. NULL: detection was off, or not said.';
COMMENT ON COLUMN public.call_summaries.processing_state IS 'What the payload says of itself: partial or complete. A predicted-complete event says partial: use event_type to tell them apart.';
COMMENT ON COLUMN public.call_summaries.url IS 'Address of the summary in the REST API. NULL in events.';
COMMENT ON COLUMN public.call_summaries.from_caller IS 'Caller as written on the from side: E.164 number, sip: or client: address. Personal data. NULL: unused on this side.';
COMMENT ON COLUMN public.call_summaries.from_callee IS 'Callee as written on the from side: E.164 number, sip: or client: address, application SID. Personal data. NULL: unused on this side.';
COMMENT ON COLUMN public.call_summaries.from_carrier IS 'Name of the carrier of the calling party, free text. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.from_connection IS 'Kind of connection of the calling party: landline, mobile, voip, pstn, twilio_sdk, sip_interface, ...; an open set.';
COMMENT ON COLUMN public.call_summaries.from_number_prefix IS 'Country code and first digits of the number of the calling party, without a plus sign.';
COMMENT ON COLUMN public.call_summaries.from_location_lat IS 'Latitude of the calling party, degrees. Together 0 and 0: Twilio''s way to say unknown in some events.';
COMMENT ON COLUMN public.call_summaries.from_location_lon IS 'Longitude of the calling party, degrees. Together 0 and 0: Twilio''s way to say unknown in some events.';
COMMENT ON COLUMN public.call_summaries.from_city IS 'City of the calling party. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.from_country_code IS 'Country of the calling party, ISO 3166-1 alpha-2. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.from_country_subdivision IS 'State or province of the calling party: a name or a code. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.from_ip_address IS 'Public IP address of the Voice SDK client of the calling party. Personal data. NULL: not an SDK client.';
COMMENT ON COLUMN public.call_summaries.from_sdk_type IS 'Kind of SDK, for example twilio-voice-ios of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_version IS 'SDK version of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_platform IS 'Platform of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_region IS 'Region used of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_selected_region IS 'Region asked for, for example gll of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_browser_name IS 'Browser name of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_browser_major IS 'Browser major of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_browser_version IS 'Browser version of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_os_name IS 'Operating system name of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_os_version IS 'Operating system version of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_device_model IS 'Device model of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_device_type IS 'Device type of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_device_vendor IS 'Device vendor of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_device_arch IS 'Device arch of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_app_name IS 'App name of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_app_version IS 'App version of the Voice SDK client of the calling party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_engine IS 'Browser engine of the Voice SDK client of the calling party, as sent. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.from_sdk_cpu IS 'CPU of the Voice SDK client of the calling party, as sent. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.to_caller IS 'Caller as written on the to side: E.164 number, sip: or client: address. Personal data. NULL: unused on this side.';
COMMENT ON COLUMN public.call_summaries.to_callee IS 'Callee as written on the to side: E.164 number, sip: or client: address, application SID. Personal data. NULL: unused on this side.';
COMMENT ON COLUMN public.call_summaries.to_carrier IS 'Name of the carrier of the called party, free text. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.to_connection IS 'Kind of connection of the called party: landline, mobile, voip, pstn, twilio_sdk, sip_interface, ...; an open set.';
COMMENT ON COLUMN public.call_summaries.to_number_prefix IS 'Country code and first digits of the number of the called party, without a plus sign.';
COMMENT ON COLUMN public.call_summaries.to_location_lat IS 'Latitude of the called party, degrees. Together 0 and 0: Twilio''s way to say unknown in some events.';
COMMENT ON COLUMN public.call_summaries.to_location_lon IS 'Longitude of the called party, degrees. Together 0 and 0: Twilio''s way to say unknown in some events.';
COMMENT ON COLUMN public.call_summaries.to_city IS 'City of the called party. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.to_country_code IS 'Country of the called party, ISO 3166-1 alpha-2. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.to_country_subdivision IS 'State or province of the called party: a name or a code. NULL: not known.';
COMMENT ON COLUMN public.call_summaries.to_ip_address IS 'Public IP address of the Voice SDK client of the called party. Personal data. NULL: not an SDK client.';
COMMENT ON COLUMN public.call_summaries.to_sdk_type IS 'Kind of SDK, for example twilio-voice-ios of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_version IS 'SDK version of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_platform IS 'Platform of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_region IS 'Region used of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_selected_region IS 'Region asked for, for example gll of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_browser_name IS 'Browser name of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_browser_major IS 'Browser major of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_browser_version IS 'Browser version of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_os_name IS 'Operating system name of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_os_version IS 'Operating system version of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_device_model IS 'Device model of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_device_type IS 'Device type of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_device_vendor IS 'Device vendor of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_device_arch IS 'Device arch of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_app_name IS 'App name of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_app_version IS 'App version of the Voice SDK client of the called party. NULL: not an SDK client, or not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_engine IS 'Browser engine of the Voice SDK client of the called party, as sent. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.to_sdk_cpu IS 'CPU of the Voice SDK client of the called party, as sent. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.tags IS 'Quality tags of the whole call: silence, high_jitter, high_packet_loss, high_pdd, high_latency, pstn_short_duration, low_mos, ice_failure; an open set that does not say which edge. NULL: the payload said null; empty: it said none.';
COMMENT ON COLUMN public.call_summaries.conference_participant IS 'Whether the call took part in a conference. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.direction IS 'inbound, outbound_api, outbound_dial, trunking_originating, trunking_terminating. Hyphens are written as underscores.';
COMMENT ON COLUMN public.call_summaries.disconnected_by IS 'Who hung up: caller or callee. NULL: unknown, as for calls that were not answered and SDK clients that vanished.';
COMMENT ON COLUMN public.call_summaries.pdd_ms IS 'Post-dial delay, milliseconds from INVITE to ringing. 0 may mean not measured.';
COMMENT ON COLUMN public.call_summaries.last_sip_response_num IS 'Last SIP response: 200 normal, 487 cancelled, ... 0 means none.';
COMMENT ON COLUMN public.call_summaries.queue_time IS 'Estimated milliseconds between creation and start. NULL: not said (schema version 1).';
COMMENT ON COLUMN public.call_summaries.q850_cause IS 'ITU-T Q.850 cause of the release (schema version 1). 0 may mean not measured.';
COMMENT ON COLUMN public.call_summaries.route_id IS 'Route (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.media_region IS 'Region of the media gateway (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.signaling_region IS 'Region of the signalling gateway (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.twilio_media_ip IS 'IP address of Twilio''s media gateway (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.twilio_signaling_ip IS 'IP address of Twilio''s signalling gateway (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.external_media_ip IS 'IP address of the far side''s media. Personal data (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.external_signaling_ip IS 'IP address of the far side''s signalling. Personal data (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.sip_call_id IS 'Call-ID header of the SIP leg. May hold an address (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.user_agent IS 'User-Agent of the SIP leg (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.selected_region IS 'Region asked for (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.region IS 'Region used (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.trunk_sid IS 'Elastic SIP trunk (TK...) (schema version 1; later versions say it per edge, see call_edge_metrics). NULL: not known.';
COMMENT ON COLUMN public.call_summaries.settings IS 'Settings as sent (schema version 1). NULL: none.';
COMMENT ON COLUMN public.call_summaries.trust_verified_caller IS 'Caller verified by SHAKEN/STIR with attestation A. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_enabled IS 'Branded calling: whether the call was branded. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_display_name IS 'Branded calling: short name shown. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_long_display_name IS 'Branded calling: long name shown. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_bundle_sid IS 'Branded calling: trust bundle (BU...). NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_logo IS 'Branded calling: whether a logo was shown. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_type IS 'Branded calling: in_band or out_of_band; open text. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_use_case IS 'Branded calling: use case; open text. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_call_reason IS 'Branded calling: reason shown to the callee. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_call_branded IS 'Branded call (event schema version 2, later trust_branded_*): whether the call was branded. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_call_caller IS 'Branded call (event schema version 2, later trust_branded_*): caller name shown. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_call_use_case IS 'Branded call (event schema version 2, later trust_branded_*): use case; open text. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_call_brand_sid IS 'Branded call (event schema version 2, later trust_branded_*): brand. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_branded_call_branded_channel_sid IS 'Branded call (event schema version 2, later trust_branded_*): branded channel. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_business_profile_bundle_sid IS 'Business profile: trust bundle (BU...). NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_business_profile_identity IS 'Business profile: identity, for example direct_customer; open text. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_business_profile_industry IS 'Business profile: industry; open text. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_business_profile_type IS 'Business profile: type; open text. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_voice_integrity_enabled IS 'Voice Integrity: whether enabled. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_voice_integrity_bundle_sid IS 'Voice Integrity: trust bundle (BU...). NULL: not said.';
COMMENT ON COLUMN public.call_summaries.trust_voice_integrity_use_case IS 'Voice Integrity: use case; open text. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.annotation_answered_by IS 'Annotation by a person: human, machine. NULL: none.';
COMMENT ON COLUMN public.call_summaries.annotation_connectivity_issue IS 'Annotation by a person: no_connectivity_issue, invalid_number, caller_id, dropped_call, number_reachability. NULL: none.';
COMMENT ON COLUMN public.call_summaries.annotation_quality_issues IS 'Annotation by a person: no_quality_issue, low_volume, choppy_robotic, echo, dtmf, latency, owa, static_noise. NULL: none.';
COMMENT ON COLUMN public.call_summaries.annotation_spam IS 'Annotation by a person: the call was spam. NULL: none.';
COMMENT ON COLUMN public.call_summaries.annotation_call_score IS 'Annotation by a person: 1 (worst) to 5 (best). NULL: none.';
COMMENT ON COLUMN public.call_summaries.annotation_comment IS 'Annotation by a person: comment of at most 100 characters. NULL: none.';
COMMENT ON COLUMN public.call_summaries.annotation_incident IS 'Annotation by a person: incident number or text of at most 100 characters. NULL: none.';
COMMENT ON COLUMN public.call_summaries.event_type IS 'Full CloudEvents type of the event that this row shows: com.twilio.voice.insights.call-summary.partial, .predicted-complete or .complete.';
COMMENT ON COLUMN public.call_summaries.event_rank IS 'Rank of event_type: 3 complete, 2 predicted-complete, 1 partial, 0 any other. First part of the key by which events of one call converge.';
COMMENT ON COLUMN public.call_summaries.processing_version IS 'Counts Twilio''s updates of the summary. Second part of the key. NULL: not said; sorts lowest.';
COMMENT ON COLUMN public.call_summaries.event_time IS 'When Twilio emitted the event that this row shows (CloudEvents time). Third part of the key. NULL: not said; sorts lowest.';
COMMENT ON COLUMN public.call_summaries.event_id IS 'CloudEvents id of the event that this row shows. Fourth part of the key. NULL: not said; sorts lowest.';
COMMENT ON COLUMN public.call_summaries.event_source IS 'CloudEvents source of the event that this row shows. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.dataschema IS 'CloudEvents dataschema of the event that this row shows. NULL: not said.';
COMMENT ON COLUMN public.call_summaries.schema_version IS 'Version number at the end of dataschema. NULL: not said or not a number.';
COMMENT ON COLUMN public.call_summaries.edges IS 'Metrics and properties of the edges, one element per edge and direction: read them through the view call_edge_metrics.';
COMMENT ON COLUMN public.call_summaries.payload IS 'The data of the event that this row shows, whole and as sent. Holds personal data. It is json, not jsonb: the text stays as it came.';
COMMENT ON COLUMN public.call_summaries.unreadable_fields IS 'Documented fields of payload whose value was not of the documented kind, as path: what was found. Their columns are NULL. NULL: none.';
COMMENT ON COLUMN public.call_summaries.partial_time IS 'Time of the latest partial event received. NULL: none received, or it had no time.';
COMMENT ON COLUMN public.call_summaries.predicted_complete_time IS 'Time of the latest predicted-complete event received. NULL: none received, or it had no time.';
COMMENT ON COLUMN public.call_summaries.complete_time IS 'Time of the latest complete event received. NULL: none received, or it had no time. complete_time - end_time is Twilio''s lag.';
COMMENT ON COLUMN public.call_summaries.first_received_time IS 'When callsink first received an event of this call.';
COMMENT ON COLUMN public.call_summaries.last_received_time IS 'When callsink last received an event of this call, duplicates included.';

CREATE VIEW public.call_edge_metrics AS
SELECT
    call.call_sid,
    call.account_sid,
    call.start_time,
    edge.edge,
    edge.direction,
    edge.codec,
    edge.codec_name,
    edge.packets_received,
    edge.packets_sent,
    edge.packets_lost,
    edge.packets_loss_percentage,
    edge.jitter_avg,
    edge.jitter_max,
    edge.latency_avg,
    edge.latency_max,
    edge.mos_avg,
    edge.mos_max,
    edge.mos_min,
    edge.rtt_avg,
    edge.rtt_max,
    edge.rtt_min,
    edge.audio_in_avg,
    edge.audio_in_max,
    edge.audio_out_avg,
    edge.audio_out_max,
    edge.packet_delay_variation,
    edge.bytes_received,
    edge.bytes_sent,
    edge.tags,
    edge.edge_direction,
    edge.media_region,
    edge.signaling_region,
    edge.edge_location,
    edge.twilio_media_ip,
    edge.twilio_signaling_ip,
    edge.external_media_ip,
    edge.external_signaling_ip,
    edge.sip_call_id,
    edge.user_agent,
    edge.trunk_sid,
    edge.selected_region,
    edge.region,
    edge.disconnected_by,
    edge.settings,
    edge.events
FROM public.call_summaries AS call
CROSS JOIN LATERAL unnest(call.edges) AS edge;

COMMENT ON VIEW public.call_edge_metrics IS 'Quality of each call at each edge: one row per call, edge and direction, the properties of the edge beside its metrics. Source: the *_edge objects of call summaries.';
COMMENT ON COLUMN public.call_edge_metrics.call_sid IS 'The call (CA...), as in call_summaries.';
COMMENT ON COLUMN public.call_edge_metrics.account_sid IS 'Account of the call (AC...).';
COMMENT ON COLUMN public.call_edge_metrics.start_time IS 'Start of the call, as in call_summaries.';
COMMENT ON COLUMN public.call_edge_metrics.edge IS 'Edge that measured: carrier_edge, sip_edge, client_edge (Twilio''s gateways) or sdk_edge (the Voice SDK).';
COMMENT ON COLUMN public.call_edge_metrics.direction IS 'Direction of the media from the edge''s view: inbound is what the edge received. NULL: the edge sent properties but no metrics.';
COMMENT ON COLUMN public.call_edge_metrics.codec IS 'RTP payload type: 0 PCMU, 111 usually opus. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.codec_name IS 'pcmu, opus, g729, ... NULL: not known.';
COMMENT ON COLUMN public.call_edge_metrics.packets_received IS 'RTP packets received at the edge (inbound). NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.packets_sent IS 'RTP packets sent by the edge (outbound). NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.packets_lost IS 'RTP packets lost. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.packets_loss_percentage IS 'Packets lost, percent from 0 to 100. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.jitter_avg IS 'Jitter in milliseconds: average. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.jitter_max IS 'Jitter in milliseconds: maximum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.latency_avg IS 'Twilio-internal RTP traversal in milliseconds, said on the receiving call''s edge and mostly absent: average. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.latency_max IS 'Twilio-internal RTP traversal in milliseconds, said on the receiving call''s edge and mostly absent: maximum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.mos_avg IS 'Mean opinion score, 1.0 to 4.6, Voice SDK edge only: average. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.mos_max IS 'Mean opinion score, 1.0 to 4.6, Voice SDK edge only: maximum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.mos_min IS 'Mean opinion score, 1.0 to 4.6, Voice SDK edge only: minimum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.rtt_avg IS 'Round-trip time in milliseconds, Voice SDK edge only: average. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.rtt_max IS 'Round-trip time in milliseconds, Voice SDK edge only: maximum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.rtt_min IS 'Round-trip time in milliseconds, Voice SDK edge only: minimum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.audio_in_avg IS 'Level of the microphone, 0 to 32767, Voice SDK edge only: average. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.audio_in_max IS 'Level of the microphone, 0 to 32767, Voice SDK edge only: maximum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.audio_out_avg IS 'Level of the loudspeaker, 0 to 32767, Voice SDK edge only: average. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.audio_out_max IS 'Level of the loudspeaker, 0 to 32767, Voice SDK edge only: maximum. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.packet_delay_variation IS 'Histogram of packet delay variation as sent: keys d50, d200, d300, ... are milliseconds, values are packets. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_metrics.bytes_received IS 'Bytes received. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.bytes_sent IS 'Bytes sent. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.tags IS 'Quality tags of this direction. NULL: not said, which is the rule; see call_summaries.tags.';
COMMENT ON COLUMN public.call_edge_metrics.edge_direction IS 'Direction of the call as the edge sees it: inbound or outbound. Not the direction of the media.';
COMMENT ON COLUMN public.call_edge_metrics.media_region IS 'Region of the media gateway. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.signaling_region IS 'Region of the signalling gateway. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.edge_location IS 'Twilio edge location, for example ashburn. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.twilio_media_ip IS 'IP address of Twilio''s media gateway. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.twilio_signaling_ip IS 'IP address of Twilio''s signalling gateway. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.external_media_ip IS 'IP address of the far side''s media. Personal data. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.external_signaling_ip IS 'IP address of the far side''s signalling. Personal data. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.sip_call_id IS 'Call-ID header of the SIP leg. May hold an address. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.user_agent IS 'User-Agent of the SIP leg. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.trunk_sid IS 'Elastic SIP trunk (TK...). NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.selected_region IS 'Region asked for. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.region IS 'Region used. NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.disconnected_by IS 'Who hung up, in the edge''s own words: remote, local, rejected, .... NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.settings IS 'Settings of the Voice SDK as sent (dscp, ice_restart_enabled, edge, selected_edges, ...). NULL: not said.';
COMMENT ON COLUMN public.call_edge_metrics.events IS 'Counts of Voice SDK events by level, group and error code, as sent; Voice SDK edge only. NULL: not said.';

-- Quicker than pglz at the same size; a PostgreSQL that was built without it does with pglz.
DO $$
BEGIN
    ALTER TABLE public.call_summaries ALTER COLUMN payload SET COMPRESSION lz4;
EXCEPTION
    WHEN feature_not_supported THEN
        RAISE NOTICE 'lz4 is not there: %', SQLERRM;
END
$$;
