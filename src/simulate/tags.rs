//! Quality tags, by Twilio's documented thresholds.
//!
//! In: the facts of a call. Out: the tags that those facts earn, and no others.
//! Source: the page "Call Tags" of Twilio's Voice Insights documentation.

use super::call::{CallType, State};
use super::edge::{Edge, EdgeName, Metrics};

/// The tags of a call.
pub(super) fn earned(
    edges: &[Edge],
    call_type: CallType,
    state: State,
    connect_duration: i64,
    has_high_pdd: bool,
) -> Vec<&'static str> {
    let mut tags = Vec::new();
    let mut tag = |name, earned: bool| {
        if earned && !tags.contains(&name) {
            tags.push(name);
        }
    };
    for edge in edges {
        let is_sdk = edge.name == EdgeName::Sdk;
        let is_silent = edge.metrics.as_ref().is_some_and(|metrics| {
            metrics.inbound.as_ref().is_none_or(|inbound| inbound.packets_received == Some(0))
        });
        tag("silence", !is_sdk && is_silent);
        tag("ice_failure", edge.events.as_ref().is_some_and(|it| it.errors.contains_key("53405")));
        for metrics in edge.directions() {
            tag("high_jitter", is_jittery(metrics));
            tag("high_packet_loss", metrics.packets_loss_percentage.is_some_and(|it| it > 5.0));
            tag("low_mos", metrics.mos.is_some_and(|mos| mos.avg < 3.5));
            let is_late = if is_sdk {
                metrics.rtt.is_some_and(|rtt| rtt.avg > 400.0)
            } else {
                metrics.latency.is_some_and(|latency| latency.avg > 150.0)
            };
            tag("high_latency", is_late);
        }
    }
    tag("high_pdd", has_high_pdd);
    let is_pstn = matches!(call_type, CallType::Carrier | CallType::Trunking);
    tag("pstn_short_duration", is_pstn && state == State::Completed && connect_duration < 10);
    tags
}

fn is_jittery(metrics: &Metrics) -> bool {
    metrics.jitter.is_some_and(|jitter| jitter.avg >= 5.0 && jitter.max >= 30.0)
}
