-- What four questions of analysts lacked: by edge, who heard nothing; whose office and network an agent calls from; the other
-- party's clock; the trunk. docs/questions.md asks 7, 12, 20 and 22 with it.

-- Twilio says countries and subdivisions of numbers and no time zones. Zone names that this PostgreSQL does not know are left
-- out, as asking for their time would be an error. Source: zone.tab of the IANA time zone database (public domain).
CREATE TABLE callsink.time_zones (
    country_code text NOT NULL,
    subdivision text NOT NULL,
    time_zone text NOT NULL,
    CONSTRAINT time_zones_pkey PRIMARY KEY (country_code, subdivision)
);

COMMENT ON TABLE callsink.time_zones IS 'Time zones of countries that have one, or one for nearly all of their people, and of the subdivisions of Australia, Canada and the United States; of a subdivision with several, the one of most people. Source: IANA time zone database. Rows may be added and changed by hand.';
COMMENT ON COLUMN callsink.time_zones.country_code IS 'ISO 3166-1 alpha-2, as Twilio says.';
COMMENT ON COLUMN callsink.time_zones.subdivision IS 'Name or code of the subdivision in small letters, as Twilio says either; empty: the whole country, but for its other rows.';
COMMENT ON COLUMN callsink.time_zones.time_zone IS 'IANA name, such as Europe/Berlin.';

INSERT INTO callsink.time_zones (country_code, subdivision, time_zone)
SELECT left(entry, 2), '', substr(entry, 4)
FROM regexp_split_to_table(btrim($$
AD Europe/Andorra, AE Asia/Dubai, AF Asia/Kabul, AG America/Antigua, AI America/Anguilla, AL Europe/Tirane, AM Asia/Yerevan,
AO Africa/Luanda, AR America/Argentina/Buenos_Aires, AS Pacific/Pago_Pago, AT Europe/Vienna, AW America/Aruba,
AX Europe/Mariehamn, AZ Asia/Baku, BA Europe/Sarajevo, BB America/Barbados, BD Asia/Dhaka, BE Europe/Brussels,
BF Africa/Ouagadougou, BG Europe/Sofia, BH Asia/Bahrain, BI Africa/Bujumbura, BJ Africa/Porto-Novo, BL America/St_Barthelemy,
BM Atlantic/Bermuda, BN Asia/Brunei, BO America/La_Paz, BQ America/Kralendijk, BS America/Nassau, BT Asia/Thimphu,
BW Africa/Gaborone, BY Europe/Minsk, BZ America/Belize, CC Indian/Cocos, CF Africa/Bangui, CG Africa/Brazzaville,
CH Europe/Zurich, CI Africa/Abidjan, CK Pacific/Rarotonga, CL America/Santiago, CM Africa/Douala, CN Asia/Shanghai,
CO America/Bogota, CR America/Costa_Rica, CU America/Havana, CV Atlantic/Cape_Verde, CW America/Curacao, CX Indian/Christmas,
CY Asia/Nicosia, CZ Europe/Prague, DE Europe/Berlin, DJ Africa/Djibouti, DK Europe/Copenhagen, DM America/Dominica,
DO America/Santo_Domingo, DZ Africa/Algiers, EC America/Guayaquil, EE Europe/Tallinn, EG Africa/Cairo, EH Africa/El_Aaiun,
ER Africa/Asmara, ES Europe/Madrid, ET Africa/Addis_Ababa, FI Europe/Helsinki, FJ Pacific/Fiji, FK Atlantic/Stanley,
FO Atlantic/Faroe, FR Europe/Paris, GA Africa/Libreville, GB Europe/London, GD America/Grenada, GE Asia/Tbilisi,
GF America/Cayenne, GG Europe/Guernsey, GH Africa/Accra, GI Europe/Gibraltar, GL America/Nuuk, GM Africa/Banjul,
GN Africa/Conakry, GP America/Guadeloupe, GQ Africa/Malabo, GR Europe/Athens, GT America/Guatemala, GU Pacific/Guam,
GW Africa/Bissau, GY America/Guyana, HK Asia/Hong_Kong, HN America/Tegucigalpa, HR Europe/Zagreb, HT America/Port-au-Prince,
HU Europe/Budapest, IE Europe/Dublin, IL Asia/Jerusalem, IM Europe/Isle_of_Man, IN Asia/Kolkata, IO Indian/Chagos,
IQ Asia/Baghdad, IR Asia/Tehran, IS Atlantic/Reykjavik, IT Europe/Rome, JE Europe/Jersey, JM America/Jamaica, JO Asia/Amman,
JP Asia/Tokyo, KE Africa/Nairobi, KG Asia/Bishkek, KH Asia/Phnom_Penh, KM Indian/Comoro, KN America/St_Kitts,
KP Asia/Pyongyang, KR Asia/Seoul, KW Asia/Kuwait, KY America/Cayman, KZ Asia/Almaty, LA Asia/Vientiane, LB Asia/Beirut,
LC America/St_Lucia, LI Europe/Vaduz, LK Asia/Colombo, LR Africa/Monrovia, LS Africa/Maseru, LT Europe/Vilnius,
LU Europe/Luxembourg, LV Europe/Riga, LY Africa/Tripoli, MA Africa/Casablanca, MC Europe/Monaco, MD Europe/Chisinau,
ME Europe/Podgorica, MF America/Marigot, MG Indian/Antananarivo, MH Pacific/Majuro, MK Europe/Skopje, ML Africa/Bamako,
MM Asia/Yangon, MN Asia/Ulaanbaatar, MO Asia/Macau, MP Pacific/Saipan, MQ America/Martinique, MR Africa/Nouakchott,
MS America/Montserrat, MT Europe/Malta, MU Indian/Mauritius, MV Indian/Maldives, MW Africa/Blantyre, MX America/Mexico_City,
MY Asia/Kuala_Lumpur, MZ Africa/Maputo, NA Africa/Windhoek, NC Pacific/Noumea, NE Africa/Niamey, NF Pacific/Norfolk,
NG Africa/Lagos, NI America/Managua, NL Europe/Amsterdam, NO Europe/Oslo, NP Asia/Kathmandu, NR Pacific/Nauru,
NU Pacific/Niue, NZ Pacific/Auckland, OM Asia/Muscat, PA America/Panama, PE America/Lima, PF Pacific/Tahiti,
PG Pacific/Port_Moresby, PH Asia/Manila, PK Asia/Karachi, PL Europe/Warsaw, PM America/Miquelon, PN Pacific/Pitcairn,
PR America/Puerto_Rico, PS Asia/Gaza, PT Europe/Lisbon, PW Pacific/Palau, PY America/Asuncion, QA Asia/Qatar,
RE Indian/Reunion, RO Europe/Bucharest, RS Europe/Belgrade, RW Africa/Kigali, SA Asia/Riyadh, SB Pacific/Guadalcanal,
SC Indian/Mahe, SD Africa/Khartoum, SE Europe/Stockholm, SG Asia/Singapore, SH Atlantic/St_Helena, SI Europe/Ljubljana,
SJ Arctic/Longyearbyen, SK Europe/Bratislava, SL Africa/Freetown, SM Europe/San_Marino, SN Africa/Dakar, SO Africa/Mogadishu,
SR America/Paramaribo, SS Africa/Juba, ST Africa/Sao_Tome, SV America/El_Salvador, SX America/Lower_Princes, SY Asia/Damascus,
SZ Africa/Mbabane, TC America/Grand_Turk, TD Africa/Ndjamena, TG Africa/Lome, TH Asia/Bangkok, TJ Asia/Dushanbe,
TK Pacific/Fakaofo, TL Asia/Dili, TM Asia/Ashgabat, TN Africa/Tunis, TO Pacific/Tongatapu, TR Europe/Istanbul,
TT America/Port_of_Spain, TV Pacific/Funafuti, TW Asia/Taipei, TZ Africa/Dar_es_Salaam, UA Europe/Kyiv, UG Africa/Kampala,
UY America/Montevideo, UZ Asia/Tashkent, VA Europe/Vatican, VC America/St_Vincent, VE America/Caracas, VG America/Tortola,
VI America/St_Thomas, VN Asia/Ho_Chi_Minh, VU Pacific/Efate, WF Pacific/Wallis, WS Pacific/Apia, YE Asia/Aden,
YT Indian/Mayotte, ZA Africa/Johannesburg, ZM Africa/Lusaka, ZW Africa/Harare
$$, E'\n'), ',\s+') AS entry
WHERE substr(entry, 4) IN (SELECT name FROM pg_timezone_names);

INSERT INTO callsink.time_zones (country_code, subdivision, time_zone)
SELECT country_code, subdivision, time_zone
FROM (VALUES
    ('AU', 'Australia/Sydney', 'nsw|new south wales|act|australian capital territory'),
    ('AU', 'Australia/Melbourne', 'vic|victoria'),
    ('AU', 'Australia/Brisbane', 'qld|queensland'),
    ('AU', 'Australia/Adelaide', 'sa|south australia'),
    ('AU', 'Australia/Perth', 'wa|western australia'),
    ('AU', 'Australia/Hobart', 'tas|tasmania'),
    ('AU', 'Australia/Darwin', 'nt|northern territory'),
    ('CA', 'America/Toronto', 'on|ontario|qc|quebec|québec'),
    ('CA', 'America/Vancouver', 'bc|british columbia'),
    ('CA', 'America/Edmonton', 'ab|alberta|nt|northwest territories'),
    ('CA', 'America/Winnipeg', 'mb|manitoba'),
    ('CA', 'America/Regina', 'sk|saskatchewan'),
    ('CA', 'America/Halifax', 'ns|nova scotia|nb|new brunswick|pe|prince edward island'),
    ('CA', 'America/St_Johns', 'nl|newfoundland and labrador'),
    ('CA', 'America/Whitehorse', 'yt|yukon'),
    ('CA', 'America/Iqaluit', 'nu|nunavut'),
    ('US', 'America/New_York', 'ct|connecticut|dc|district of columbia|de|delaware|fl|florida|ga|georgia|ky|kentucky|ma'),
    ('US', 'America/New_York', 'massachusetts|md|maryland|me|maine|nc|north carolina|nh|new hampshire|nj|new jersey|ny|new york|oh'),
    ('US', 'America/New_York', 'ohio|pa|pennsylvania|ri|rhode island|sc|south carolina|va|virginia|vt|vermont|wv|west virginia'),
    ('US', 'America/Detroit', 'mi|michigan'),
    ('US', 'America/Indiana/Indianapolis', 'in|indiana'),
    ('US', 'America/Chicago', 'al|alabama|ar|arkansas|ia|iowa|il|illinois|ks|kansas|la|louisiana|mn|minnesota|mo|missouri|ms'),
    ('US', 'America/Chicago', 'mississippi|nd|north dakota|ne|nebraska|ok|oklahoma|sd|south dakota|tn|tennessee|tx|texas|wi'),
    ('US', 'America/Chicago', 'wisconsin'),
    ('US', 'America/Denver', 'co|colorado|mt|montana|nm|new mexico|ut|utah|wy|wyoming'),
    ('US', 'America/Boise', 'id|idaho'),
    ('US', 'America/Phoenix', 'az|arizona'),
    ('US', 'America/Los_Angeles', 'ca|california|nv|nevada|or|oregon|wa|washington'),
    ('US', 'America/Anchorage', 'ak|alaska'),
    ('US', 'Pacific/Honolulu', 'hi|hawaii')
) AS zone (country_code, time_zone, subdivisions),
    string_to_table(subdivisions, '|') AS subdivision
WHERE time_zone IN (SELECT name FROM pg_timezone_names);

CREATE FUNCTION public.network_of(address text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN address ~ '^(::[Ff]{4}:)?[0-9]{1,3}([.][0-9]{1,3}){3}$' THEN substring(address, '([0-9]+[.][0-9]+[.][0-9]+)[.]') || '.0/24'
        WHEN address ~ '^[0-9A-Fa-f]{1,4}:[0-9A-Fa-f:]*:[0-9A-Fa-f:]*$' THEN
            coalesce(nullif(ltrim(lower(split_part(address, ':', 1)), '0'), ''), '0')
            || ':' || coalesce(nullif(ltrim(lower(split_part(split_part(address, '::', 1), ':', 2)), '0'), ''), '0')
            || ':' || coalesce(nullif(ltrim(lower(split_part(split_part(address, '::', 1), ':', 3)), '0'), ''), '0')
            || '::/48'
    END
$$;

COMMENT ON FUNCTION public.network_of(text) IS 'The network of an IP address as people are given them: of IPv4 the /24, of IPv6 the /48. Text, as Twilio masks addresses at times. NULL: not an address, or a masked one.';

CREATE OR REPLACE VIEW public.calls AS
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
    call.last_received_time,
    -- Of NULL all of these make NULL.
    left(encode(sha256(convert_to((SELECT key FROM callsink.pseudonym_key) || agent.party, 'UTF8')), 'hex'), 16) AS agent_pseudonym,
    left(encode(sha256(convert_to((SELECT key FROM callsink.pseudonym_key) || agent.address, 'UTF8')), 'hex'), 16)
        AS agent_address_pseudonym,
    left(encode(sha256(convert_to((SELECT key FROM callsink.pseudonym_key) || public.network_of(agent.address), 'UTF8')), 'hex'), 16)
        AS agent_network_pseudonym,
    coalesce(call.trunk_sid, worst.trunk_sid) AS trunk_sid,
    there.time_zone,
    call.start_time AT TIME ZONE there.time_zone AS local_start_time
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
        min(edge.edge_location) AS edge_location,
        min(edge.trunk_sid) AS trunk_sid,
        min(edge.external_media_ip) AS external_media_ip
    FROM unnest(call.edges) AS edge
) AS worst ON true
-- Whose side is ours: of a call between two of ours the called one, whose SDK reports, unless the call came in.
-- Subqueries without tables, and left joins by keys: PostgreSQL works out only what is asked for.
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN coalesce(call.to_callee, call.to_caller) ~ '^(client|sips?):'
            AND (call.direction LIKE 'outbound%' OR coalesce(call.from_caller, call.from_callee, '') !~ '^(client|sips?):') THEN 'to'
        WHEN coalesce(call.from_caller, call.from_callee) ~ '^(client|sips?):' THEN 'from'
    END AS side
) AS ours
CROSS JOIN LATERAL (
    SELECT
        CASE ours.side
            WHEN 'to' THEN coalesce(call.to_callee, call.to_caller)
            WHEN 'from' THEN coalesce(call.from_caller, call.from_callee)
        END AS party,
        coalesce(
            CASE ours.side WHEN 'to' THEN call.to_ip_address WHEN 'from' THEN call.from_ip_address END,
            call.from_ip_address, call.to_ip_address, call.external_media_ip, worst.external_media_ip
        ) AS address
) AS agent
CROSS JOIN LATERAL (
    SELECT
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_code
            ELSE call.to_country_code END AS country_code,
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_subdivision
            ELSE call.to_country_subdivision END AS subdivision,
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_location_lat
            ELSE call.to_location_lat END AS latitude,
        CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_location_lon
            ELSE call.to_location_lon END AS longitude
) AS other
LEFT JOIN callsink.time_zones AS part
    ON part.country_code = other.country_code AND part.subdivision = lower(other.subdivision)
LEFT JOIN callsink.time_zones AS whole ON whole.country_code = other.country_code AND whole.subdivision = ''
CROSS JOIN LATERAL (
    SELECT coalesce(
        part.time_zone,
        whole.time_zone,
        -- These names count westwards. (0, 0) is how Twilio says that it does not know.
        CASE WHEN abs(other.longitude) <= 180 AND (other.longitude <> 0 OR other.latitude <> 0)
            THEN 'Etc/GMT' || to_char(-round(other.longitude / 15), 'FMSG99') END
    ) AS time_zone
) AS there;

COMMENT ON COLUMN public.calls.agent_pseudonym IS 'Our side of the call, if it has a name: the pseudonym of client:... or sip:...; that of the called one where both sides have. As from_pseudonym and to_pseudonym. NULL: neither side is a client or SIP.';
COMMENT ON COLUMN public.calls.agent_address_pseudonym IS 'Where our side called from, an office or a home: pseudonym of the public IP address that Twilio says of the Voice SDK, else of the one from which media came to its client or SIP edge. callsink_pii_reader finds the addresses in call_summaries and call_edge_metrics. NULL: no address was said, as for calls of the telephone network.';
COMMENT ON COLUMN public.calls.agent_network_pseudonym IS 'The network of that address: pseudonym of its network_of, a /24 or /48. NULL: no address was said, or it is masked.';
COMMENT ON COLUMN public.calls.trunk_sid IS 'Elastic SIP trunk (TK...): schema version 1 says it of the call, later ones of the SIP edge. NULL: not through a trunk, or not said, as of most calls without an answer.';
COMMENT ON COLUMN public.calls.time_zone IS 'Time zone of the other party''s number (who called us, or whom we called), from its country and subdivision (callsink.time_zones); where these do not tell, Etc/GMT... from its longitude, without summer time. Twilio says no time zone, and a mobile phone may be elsewhere. NULL: neither was said.';
COMMENT ON COLUMN public.calls.local_start_time IS 'Start of the call by the other party''s clock, in time_zone. NULL: start or time zone is not known.';

CREATE VIEW public.call_edge_silence AS
SELECT
    call.call_sid,
    call.account_sid,
    call.start_time,
    call.call_type,
    call.direction,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_country_code
        ELSE call.to_country_code END AS country_code,
    CASE WHEN call.direction IN ('inbound', 'trunking_originating') THEN call.from_carrier
        ELSE call.to_carrier END AS carrier,
    coalesce(call.from_sdk_type, call.to_sdk_type) AS sdk_type,
    coalesce(call.from_sdk_version, call.to_sdk_version) AS sdk_version,
    side.edge,
    side.packets_received,
    side.packets_sent,
    CASE
        WHEN side.packets_received > 0 AND side.packets_sent > 0 THEN 'both ways'
        WHEN side.packets_sent > 0 THEN 'nothing received'
        WHEN side.packets_received > 0 THEN 'nothing sent'
        ELSE 'nothing'
    END AS media,
    side.audio_in_avg,
    side.audio_out_avg,
    coalesce('silence' = ANY (call.tags), false) AS has_silence
FROM public.call_summaries AS call
CROSS JOIN LATERAL (
    SELECT
        edge.edge,
        coalesce(sum(edge.packets_received) FILTER (WHERE edge.direction = 'inbound'), 0)::bigint AS packets_received,
        coalesce(sum(edge.packets_sent) FILTER (WHERE edge.direction = 'outbound'), 0)::bigint AS packets_sent,
        max(edge.audio_in_avg) AS audio_in_avg,
        max(edge.audio_out_avg) AS audio_out_avg
    FROM unnest(call.edges) AS edge
    WHERE edge.direction IS NOT NULL
    GROUP BY edge.edge
) AS side
WHERE call.call_state IN ('completed', 'answered');

COMMENT ON VIEW public.call_edge_silence IS 'Silent and one-way audio by edge: one row per answered call and edge with metrics. Twilio''s tag silence is of the whole call and does not say which edge; packets do, but for a stream that flows and is silent, which only the tag tells. Ask for a span of start_time.';
COMMENT ON COLUMN public.call_edge_silence.call_sid IS 'The call (CA...).';
COMMENT ON COLUMN public.call_edge_silence.account_sid IS 'Account of the call (AC...). NULL: not said.';
COMMENT ON COLUMN public.call_edge_silence.start_time IS 'Start of the call. NULL: not said yet.';
COMMENT ON COLUMN public.call_edge_silence.call_type IS 'carrier, sip, trunking, client, .... NULL: not known.';
COMMENT ON COLUMN public.call_edge_silence.direction IS 'Direction of the call, in Twilio''s word. NULL: not known.';
COMMENT ON COLUMN public.call_edge_silence.country_code IS 'Country of the other party. NULL: not known.';
COMMENT ON COLUMN public.call_edge_silence.carrier IS 'Carrier of the other party. NULL: not known.';
COMMENT ON COLUMN public.call_edge_silence.sdk_type IS 'Voice SDK at either end, for example twilio-voice-js. NULL: none, or not said.';
COMMENT ON COLUMN public.call_edge_silence.sdk_version IS 'Version of the Voice SDK. NULL: none, or not said.';
COMMENT ON COLUMN public.call_edge_silence.edge IS 'Edge that measured: carrier_edge, sip_edge, client_edge or sdk_edge.';
COMMENT ON COLUMN public.call_edge_silence.packets_received IS 'RTP packets that the edge received; 0 also where it reports this direction not at all, which is what a missing stream looks like.';
COMMENT ON COLUMN public.call_edge_silence.packets_sent IS 'RTP packets that the edge sent; 0 also where it reports this direction not at all.';
COMMENT ON COLUMN public.call_edge_silence.media IS 'both ways, nothing received (one-way audio: this edge heard nothing of the side that it faces), nothing sent (one-way the other way), nothing.';
COMMENT ON COLUMN public.call_edge_silence.audio_in_avg IS 'Average level of the microphone, 0 to 32767, SDK edge only; near 0 it was muted or broken. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_silence.audio_out_avg IS 'Average level of what the SDK played, 0 to 32767, SDK edge only. NULL: not measured.';
COMMENT ON COLUMN public.call_edge_silence.has_silence IS 'Tag silence, of the whole call: a media stream at one of Twilio''s gateways was missing or wholly silent.';

DO $$
DECLARE
    reader text;
BEGIN
    FOREACH reader IN ARRAY ARRAY['callsink_reader', 'callsink_pii_reader'] LOOP
        IF EXISTS (SELECT FROM pg_roles WHERE rolname = reader) THEN
            EXECUTE format('GRANT SELECT ON public.call_edge_silence TO %I', reader);
        END IF;
    END LOOP;
END
$$;

-- Summaries that are read from the REST API are looked through for new fields, too.
DO $$
DECLARE
    relation regclass;
BEGIN
    FOREACH relation IN ARRAY ARRAY['callsink.unknown_fields', 'public.unknown_fields']::regclass[] LOOP
        EXECUTE format('COMMENT ON COLUMN %s.path IS %L', relation,
            'Where the field stands, members joined by dots: data.properties.new_thing of an event, rest.properties.new_thing of a summary read from the REST API (backfill, coverage, CALLSINK_RECONCILE). * stands for names that do not look like a field''s and may be data.');
        EXECUTE format('COMMENT ON COLUMN %s.schema_version IS %L', relation,
            'Version number at the end of the event''s dataschema. NULL: not said or not a number, as always from the REST API, which has no versions.');
        EXECUTE format('COMMENT ON COLUMN %s.occurrences IS %L', relation,
            'How often it was received. Approximate: a crash of the service loses the last minute or counts it twice, and a window of the REST API that is read again counts again.');
    END LOOP;
END
$$;

COMMENT ON TABLE callsink.unknown_fields IS 'Fields of call summaries that no column holds, of events and of the REST API, one row per path and schema version. Their values are in call_summaries.payload. A row here means that Twilio has added a field: look for a newer callsink. At most 1000 rows.';
COMMENT ON VIEW public.unknown_fields IS 'Schema drift: fields of call summaries that no column holds, of events and of the REST API, one row per path and schema version; never a value. No rows is the normal state; a row means that Twilio has added a field: look for a newer callsink.';
