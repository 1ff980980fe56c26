//! Which documented field of a call summary goes to which column: the one table that the decoder,
//! the store and the schema test share.
//!
//! Promises: names are Twilio's words, joined by `_` along the path; the groups `properties` and
//! `attributes` are dropped from the name. A field added here needs a migration with the column and
//! its comment; a test compares this table with the database.
//! Source: Twilio's call-summary reference, event examples of schema versions 1 to 7, REST samples.

/// What a field holds, and by that the type of its column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `text`
    Text,
    /// `integer`
    Int4,
    /// `bigint`
    Int8,
    /// `double precision`
    Float,
    /// `boolean`
    Bool,
    /// `timestamptz`
    Time,
    /// `text[]`
    Texts,
    /// `json`
    Json,
}

impl Kind {
    /// The column's type in SQL.
    #[must_use]
    pub fn sql_type(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Int4 => "integer",
            Self::Int8 => "bigint",
            Self::Float => "double precision",
            Self::Bool => "boolean",
            Self::Time => "timestamptz",
            Self::Texts => "text[]",
            Self::Json => "json",
        }
    }
}

/// Whose word counts for a field of a call that both an event and the REST API have told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provenance {
    /// The winning summary says it, also where it says nothing. Most fields.
    Winner,
    /// Only events are known to carry it: the greatest event says it, whoever wins. Where that is silent,
    /// the other one, in case Twilio begins to say it there.
    Events,
    /// Only the REST API is known to carry it: the latest REST summary says it, whoever wins. Where that is
    /// silent, the other one.
    Rest,
    /// Not every schema version of the events carries it: the winner says it, or else the other one.
    Either,
}

/// A field of the summary.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Column of `call_summaries`.
    pub column: &'static str,
    /// Where it stands in `data`, members joined by dots.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whose word counts.
    pub provenance: Provenance,
}

impl Field {
    const fn said_by(mut self, provenance: Provenance) -> Self {
        self.provenance = provenance;
        self
    }
}

/// Which object of an edge a field stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// `metrics.inbound` or `metrics.outbound`: differs by direction.
    Metrics,
    /// `properties`: the same for both directions.
    Properties,
    /// The edge itself.
    Edge,
}

/// A field of one edge and direction.
#[derive(Debug, Clone, Copy)]
pub struct EdgeField {
    /// Attribute of the type `edge_metric`, column of `call_edge_metrics`.
    pub column: &'static str,
    /// The object that `path` starts from.
    pub scope: Scope,
    /// Members joined by dots.
    pub path: &'static str,
    /// What it holds.
    pub kind: Kind,
}

/// The edges, by Twilio's names.
pub static EDGES: [&str; 4] = ["carrier_edge", "sip_edge", "client_edge", "sdk_edge"];

/// The directions of the media at an edge, by Twilio's names.
pub static DIRECTIONS: [&str; 2] = ["inbound", "outbound"];

use Kind::{Bool, Float, Int4, Int8, Json, Text, Texts, Time};
use Provenance::{Either, Events, Rest};
use Scope::{Edge, Metrics, Properties};

const fn field(column: &'static str, path: &'static str, kind: Kind) -> Field {
    Field { column, path, kind, provenance: Provenance::Winner }
}

const fn edge_field(
    column: &'static str,
    scope: Scope,
    path: &'static str,
    kind: Kind,
) -> EdgeField {
    EdgeField { column, scope, path, kind }
}

/// Every documented field of a call summary that has a column of its own, in column order.
pub static SUMMARY_FIELDS: &[Field] = &[
    field("account_sid", "account_sid", Text),
    field("parent_call_sid", "parent_call_sid", Text).said_by(Events),
    field("parent_account_sid", "parent_account_sid", Text).said_by(Events),
    field("created_time", "created_time", Time).said_by(Either),
    field("start_time", "start_time", Time),
    field("end_time", "end_time", Time),
    field("duration", "duration", Int4),
    field("connect_duration", "connect_duration", Int4),
    field("call_type", "call_type", Text),
    field("call_state", "call_state", Text),
    field("answered_by", "answered_by", Text).said_by(Rest),
    field("processing_state", "processing_state", Text),
    field("url", "url", Text).said_by(Rest),
    field("from_caller", "from.caller", Text),
    field("from_callee", "from.callee", Text),
    field("from_carrier", "from.carrier", Text),
    field("from_connection", "from.connection", Text),
    field("from_number_prefix", "from.number_prefix", Text),
    field("from_location_lat", "from.location.lat", Float),
    field("from_location_lon", "from.location.lon", Float),
    field("from_city", "from.city", Text),
    field("from_country_code", "from.country_code", Text),
    field("from_country_subdivision", "from.country_subdivision", Text),
    field("from_ip_address", "from.ip_address", Text),
    field("from_sdk_type", "from.sdk.type", Text).said_by(Events),
    field("from_sdk_version", "from.sdk.version", Text).said_by(Events),
    field("from_sdk_platform", "from.sdk.platform", Text).said_by(Events),
    field("from_sdk_region", "from.sdk.region", Text).said_by(Events),
    field("from_sdk_selected_region", "from.sdk.selected_region", Text).said_by(Events),
    field("from_sdk_browser_name", "from.sdk.browser.name", Text).said_by(Events),
    field("from_sdk_browser_major", "from.sdk.browser.major", Text).said_by(Events),
    field("from_sdk_browser_version", "from.sdk.browser.version", Text).said_by(Events),
    field("from_sdk_os_name", "from.sdk.os.name", Text).said_by(Events),
    field("from_sdk_os_version", "from.sdk.os.version", Text).said_by(Events),
    field("from_sdk_device_model", "from.sdk.device.model", Text).said_by(Events),
    field("from_sdk_device_type", "from.sdk.device.type", Text).said_by(Events),
    field("from_sdk_device_vendor", "from.sdk.device.vendor", Text).said_by(Events),
    field("from_sdk_device_arch", "from.sdk.device.arch", Text).said_by(Events),
    field("from_sdk_app_name", "from.sdk.app.name", Text).said_by(Events),
    field("from_sdk_app_version", "from.sdk.app.version", Text).said_by(Events),
    field("from_sdk_engine", "from.sdk.engine", Json).said_by(Events),
    field("from_sdk_cpu", "from.sdk.cpu", Json).said_by(Events),
    field("to_caller", "to.caller", Text),
    field("to_callee", "to.callee", Text),
    field("to_carrier", "to.carrier", Text),
    field("to_connection", "to.connection", Text),
    field("to_number_prefix", "to.number_prefix", Text),
    field("to_location_lat", "to.location.lat", Float),
    field("to_location_lon", "to.location.lon", Float),
    field("to_city", "to.city", Text),
    field("to_country_code", "to.country_code", Text),
    field("to_country_subdivision", "to.country_subdivision", Text),
    field("to_ip_address", "to.ip_address", Text),
    field("to_sdk_type", "to.sdk.type", Text).said_by(Events),
    field("to_sdk_version", "to.sdk.version", Text).said_by(Events),
    field("to_sdk_platform", "to.sdk.platform", Text).said_by(Events),
    field("to_sdk_region", "to.sdk.region", Text).said_by(Events),
    field("to_sdk_selected_region", "to.sdk.selected_region", Text).said_by(Events),
    field("to_sdk_browser_name", "to.sdk.browser.name", Text).said_by(Events),
    field("to_sdk_browser_major", "to.sdk.browser.major", Text).said_by(Events),
    field("to_sdk_browser_version", "to.sdk.browser.version", Text).said_by(Events),
    field("to_sdk_os_name", "to.sdk.os.name", Text).said_by(Events),
    field("to_sdk_os_version", "to.sdk.os.version", Text).said_by(Events),
    field("to_sdk_device_model", "to.sdk.device.model", Text).said_by(Events),
    field("to_sdk_device_type", "to.sdk.device.type", Text).said_by(Events),
    field("to_sdk_device_vendor", "to.sdk.device.vendor", Text).said_by(Events),
    field("to_sdk_device_arch", "to.sdk.device.arch", Text).said_by(Events),
    field("to_sdk_app_name", "to.sdk.app.name", Text).said_by(Events),
    field("to_sdk_app_version", "to.sdk.app.version", Text).said_by(Events),
    field("to_sdk_engine", "to.sdk.engine", Json).said_by(Events),
    field("to_sdk_cpu", "to.sdk.cpu", Json).said_by(Events),
    field("tags", "tags", Texts),
    field("conference_participant", "attributes.conference_participant", Bool),
    field("direction", "properties.direction", Text),
    field("disconnected_by", "properties.disconnected_by", Text),
    field("pdd_ms", "properties.pdd_ms", Int4),
    field("last_sip_response_num", "properties.last_sip_response_num", Int4),
    field("queue_time", "properties.queue_time", Int4).said_by(Either),
    field("q850_cause", "properties.q850_cause", Int4).said_by(Events),
    field("route_id", "properties.route_id", Text).said_by(Events),
    field("media_region", "properties.media_region", Text).said_by(Events),
    field("signaling_region", "properties.signaling_region", Text).said_by(Events),
    field("twilio_media_ip", "properties.twilio_media_ip", Text).said_by(Events),
    field("twilio_signaling_ip", "properties.twilio_signaling_ip", Text).said_by(Events),
    field("external_media_ip", "properties.external_media_ip", Text).said_by(Events),
    field("external_signaling_ip", "properties.external_signaling_ip", Text).said_by(Events),
    field("sip_call_id", "properties.sip_call_id", Text).said_by(Events),
    field("user_agent", "properties.user_agent", Text).said_by(Events),
    field("selected_region", "properties.selected_region", Text).said_by(Events),
    field("region", "properties.region", Text).said_by(Events),
    field("trunk_sid", "properties.trunk_sid", Text).said_by(Events),
    field("settings", "properties.settings", Json).said_by(Events),
    field("trust_verified_caller", "trust.verified_caller.verified", Bool).said_by(Either),
    field("trust_branded_enabled", "trust.branded.enabled", Bool).said_by(Either),
    field("trust_branded_display_name", "trust.branded.display_name", Text).said_by(Either),
    field("trust_branded_long_display_name", "trust.branded.long_display_name", Text)
        .said_by(Either),
    field("trust_branded_bundle_sid", "trust.branded.bundle_sid", Text).said_by(Either),
    field("trust_branded_logo", "trust.branded.logo", Bool).said_by(Either),
    field("trust_branded_type", "trust.branded.type", Text).said_by(Either),
    field("trust_branded_use_case", "trust.branded.use_case", Text).said_by(Either),
    field("trust_branded_call_reason", "trust.branded.call_reason", Text).said_by(Either),
    field("trust_branded_call_branded", "trust.branded_call.branded", Bool).said_by(Events),
    field("trust_branded_call_caller", "trust.branded_call.caller", Text).said_by(Events),
    field("trust_branded_call_use_case", "trust.branded_call.use_case", Text).said_by(Events),
    field("trust_branded_call_brand_sid", "trust.branded_call.brand_sid", Text).said_by(Events),
    field("trust_branded_call_branded_channel_sid", "trust.branded_call.branded_channel_sid", Text)
        .said_by(Events),
    field("trust_business_profile_bundle_sid", "trust.business_profile.bundle_sid", Text)
        .said_by(Either),
    field("trust_business_profile_identity", "trust.business_profile.identity", Text)
        .said_by(Either),
    field("trust_business_profile_industry", "trust.business_profile.industry", Text)
        .said_by(Either),
    field("trust_business_profile_type", "trust.business_profile.type", Text).said_by(Either),
    field("trust_voice_integrity_enabled", "trust.voice_integrity.enabled", Bool).said_by(Either),
    field("trust_voice_integrity_bundle_sid", "trust.voice_integrity.bundle_sid", Text)
        .said_by(Either),
    field("trust_voice_integrity_use_case", "trust.voice_integrity.use_case", Text).said_by(Either),
    field("annotation_answered_by", "annotation.answered_by", Text).said_by(Rest),
    field("annotation_connectivity_issue", "annotation.connectivity_issue", Text).said_by(Rest),
    field("annotation_quality_issues", "annotation.quality_issues", Texts).said_by(Rest),
    field("annotation_spam", "annotation.spam", Bool).said_by(Rest),
    field("annotation_call_score", "annotation.call_score", Int4).said_by(Rest),
    field("annotation_comment", "annotation.comment", Text).said_by(Rest),
    field("annotation_incident", "annotation.incident", Text).said_by(Rest),
];

/// Columns, of the summary and of its edges, that tell who called, from where, or what a person wrote.
pub static PERSONAL_COLUMNS: [&str; 20] = [
    "from_caller",
    "from_callee",
    "from_number_prefix",
    "from_location_lat",
    "from_location_lon",
    "from_city",
    "from_ip_address",
    "to_caller",
    "to_callee",
    "to_number_prefix",
    "to_location_lat",
    "to_location_lon",
    "to_city",
    "to_ip_address",
    "external_media_ip",
    "external_signaling_ip",
    "sip_call_id",
    "trust_branded_call_caller",
    "annotation_comment",
    "annotation_incident",
];

/// Documented members of a call summary without a column: they repeat what another column says.
pub static REPEATED_FIELDS: [&str; 2] = ["annotation.account_sid", "annotation.call_sid"];

/// Every documented field of one edge and direction, in the order of the type `edge_metric`,
/// after `edge` and `direction`.
pub static EDGE_FIELDS: &[EdgeField] = &[
    edge_field("codec", Metrics, "codec", Int4),
    edge_field("codec_name", Metrics, "codec_name", Text),
    edge_field("packets_received", Metrics, "packets_received", Int8),
    edge_field("packets_sent", Metrics, "packets_sent", Int8),
    edge_field("packets_lost", Metrics, "packets_lost", Int8),
    edge_field("packets_loss_percentage", Metrics, "packets_loss_percentage", Float),
    edge_field("jitter_avg", Metrics, "jitter.avg", Float),
    edge_field("jitter_max", Metrics, "jitter.max", Float),
    edge_field("latency_avg", Metrics, "latency.avg", Float),
    edge_field("latency_max", Metrics, "latency.max", Float),
    edge_field("mos_avg", Metrics, "mos.avg", Float),
    edge_field("mos_max", Metrics, "mos.max", Float),
    edge_field("mos_min", Metrics, "mos.min", Float),
    edge_field("rtt_avg", Metrics, "rtt.avg", Float),
    edge_field("rtt_max", Metrics, "rtt.max", Float),
    edge_field("rtt_min", Metrics, "rtt.min", Float),
    edge_field("audio_in_avg", Metrics, "audio_in.avg", Float),
    edge_field("audio_in_max", Metrics, "audio_in.max", Float),
    edge_field("audio_out_avg", Metrics, "audio_out.avg", Float),
    edge_field("audio_out_max", Metrics, "audio_out.max", Float),
    edge_field("packet_delay_variation", Metrics, "packet_delay_variation", Json),
    edge_field("bytes_received", Metrics, "bytes_received", Int8),
    edge_field("bytes_sent", Metrics, "bytes_sent", Int8),
    edge_field("tags", Metrics, "tags", Texts),
    edge_field("edge_direction", Properties, "direction", Text),
    edge_field("media_region", Properties, "media_region", Text),
    edge_field("signaling_region", Properties, "signaling_region", Text),
    edge_field("edge_location", Properties, "edge_location", Text),
    edge_field("twilio_media_ip", Properties, "twilio_media_ip", Text),
    edge_field("twilio_signaling_ip", Properties, "twilio_signaling_ip", Text),
    edge_field("external_media_ip", Properties, "external_media_ip", Text),
    edge_field("external_signaling_ip", Properties, "external_signaling_ip", Text),
    edge_field("sip_call_id", Properties, "sip_call_id", Text),
    edge_field("user_agent", Properties, "user_agent", Text),
    edge_field("trunk_sid", Properties, "trunk_sid", Text),
    edge_field("selected_region", Properties, "selected_region", Text),
    edge_field("region", Properties, "region", Text),
    edge_field("disconnected_by", Properties, "disconnected_by", Text),
    edge_field("settings", Properties, "settings", Json),
    edge_field("events", Edge, "events", Json),
];
