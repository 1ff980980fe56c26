//! What an edge reports of a call, in Twilio's words and units.
//!
//! In: nothing; `measure` and `reports` fill it. Out: the object of an edge, ready to be written as JSON.
//! Promises: a part that isn't known is absent; percentages follow from the counts beside them.

use super::dice::six_decimals;
use serde::Serialize;
use std::collections::BTreeMap;

/// Who measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EdgeName {
    Carrier,
    Sip,
    Client,
    Sdk,
}

/// An edge in a summary; a part that is `None` is not sent.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Edge {
    #[serde(skip)]
    pub(super) name: EdgeName,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<Directions>,
    pub(super) properties: Properties,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) events: Option<SdkEvents>,
}

/// Metrics by direction of the media, from the edge's view.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Directions {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) inbound: Option<Metrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outbound: Option<Metrics>,
}

/// One direction.
#[derive(Debug, Clone, Default, Serialize)]
pub(super) struct Metrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) codec: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) codec_name: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packets_received: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packets_sent: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packets_lost: Option<i64>,
    /// Percent, 0 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packets_loss_percentage: Option<f64>,
    /// Milliseconds, as are the next and the round trip.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) jitter: Option<AvgMax>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) latency: Option<AvgMax>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) packet_delay_variation: Option<BTreeMap<&'static str, i64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) mos: Option<AvgMaxMin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rtt: Option<AvgMaxMin>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audio_in: Option<AvgMax>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) audio_out: Option<AvgMax>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct AvgMax {
    pub(super) avg: f64,
    pub(super) max: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct AvgMaxMin {
    pub(super) avg: f64,
    pub(super) max: f64,
    pub(super) min: f64,
}

/// Where the edge is and whom it talked to.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Properties {
    pub(super) direction: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) media_region: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signaling_region: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edge_location: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) twilio_media_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) twilio_signaling_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_media_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) external_signaling_ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sip_call_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user_agent: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trunk_sid: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) selected_region: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) region: Option<&'static str>,
    /// The SDK's words, not those of the summary: `local`, `remote`, `rejected`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) disconnected_by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<SdkSettings>,
}

impl Properties {
    /// Of an edge that said nothing.
    pub(super) const NOTHING: Self = Self {
        direction: "",
        media_region: None,
        signaling_region: None,
        edge_location: None,
        twilio_media_ip: None,
        twilio_signaling_ip: None,
        external_media_ip: None,
        external_signaling_ip: None,
        sip_call_id: None,
        user_agent: None,
        trunk_sid: None,
        selected_region: None,
        region: None,
        disconnected_by: None,
        settings: None,
    };
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct SdkSettings {
    pub(super) dscp: bool,
    pub(super) ice_restart_enabled: bool,
    pub(super) edge: &'static str,
    pub(super) selected_edges: [&'static str; 1],
}

/// How often the SDK reported what.
#[derive(Debug, Clone, Serialize)]
pub(super) struct SdkEvents {
    pub(super) levels: BTreeMap<&'static str, i64>,
    pub(super) groups: BTreeMap<&'static str, i64>,
    pub(super) errors: BTreeMap<&'static str, i64>,
}

/// Percent of packets that were lost.
pub(super) fn percentage(lost: i64, received: i64) -> f64 {
    let all = lost + received;
    if all == 0 { 0.0 } else { six_decimals(lost as f64 * 100.0 / all as f64) }
}

impl Edge {
    /// The directions that have metrics.
    pub(super) fn directions(&self) -> impl Iterator<Item = &Metrics> {
        self.metrics.iter().flat_map(|metrics| [&metrics.inbound, &metrics.outbound]).flatten()
    }

    /// Keeps `permille` of each count: what an earlier event of the call knew.
    pub(super) fn scale(&mut self, permille: i64) {
        let Some(Directions { inbound, outbound }) = &mut self.metrics else { return };
        for metrics in [inbound, outbound].into_iter().flatten() {
            let counts = [
                &mut metrics.packets_received,
                &mut metrics.packets_sent,
                &mut metrics.packets_lost,
            ];
            for count in counts.into_iter().flatten() {
                *count = *count * permille / 1000;
            }
            if let Some(lost) = metrics.packets_lost {
                let others = metrics.packets_received.or(metrics.packets_sent).unwrap_or(0);
                metrics.packets_loss_percentage = Some(percentage(lost, others));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_lost_of_9988_is_written_in_percent() {
        assert_eq!(percentage(1, 9987).to_string(), "0.010012");
    }
}
